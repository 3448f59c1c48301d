"""Whether a model with replacements computes what the original does, on inputs drawn for both or given."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from recipekit.contracts import Signature
from recipekit.worker.parity import ParityAccumulator

MIN_SQNR_DB = 40.0
"""A replacement must agree with the original to this signal-to-error ratio: an error of 1 % of the signal."""

_OPEN_SIZES = (2, 8, 32, 1)
"""Sizes that are tried for dynamic dimensions, one after the other."""

Arrays = dict[str, npt.NDArray[Any]]
Model = Callable[[Mapping[str, npt.NDArray[Any]]], Mapping[str, npt.NDArray[Any]]]


def agreement(original: Model, replaced: Model, signature: Signature, seed: int) -> float | None:
    """Signal-to-error ratio of the output that differs most, in dB, as `contracts.Parity` defines it.

    Floats are drawn from the normal distribution, integers and booleans are 0 or 1. Values that the original itself
    leaves without a finite result don't count.

    Args:
        original: computes outputs by name from inputs by name.
        replaced: the same with replacements.
        signature: names, shapes and dtypes of the inputs.
        seed: of the draw.

    Returns:
        None where the original can't run what is drawn, or gives nothing that is a number.
    """
    for inputs in _draws(signature, seed):
        try:
            expected = original(inputs)
        except Exception:  # noqa: BLE001  what a model takes can't be told from its shapes alone
            traceback.print_exc()
            continue
        return _worst(expected, replaced(inputs))
    return None


def agreement_on(original: Model, replaced: Model, samples: Iterable[Arrays]) -> float | None:
    """The same on given inputs, each with its batch dimension: that of the sample that differs most.

    Args:
        original: see `agreement`.
        replaced: see `agreement`.
        samples: inputs by name.
    """
    ratios = [_worst(original(inputs), replaced(inputs)) for inputs in samples]
    return min((ratio for ratio in ratios if ratio is not None), default=None)


def _draws(signature: Signature, seed: int) -> Iterator[Arrays]:
    if any(spec.dtype == "str" for spec in signature.inputs):
        return
    for size in _OPEN_SIZES:
        draw = np.random.default_rng(seed)
        shapes = {spec.name: tuple(size if side is None else side for side in spec.shape) for spec in signature.inputs}
        yield {spec.name: _values(draw, shapes[spec.name], np.dtype(spec.dtype)) for spec in signature.inputs}


def _values(draw: np.random.Generator, shape: tuple[int, ...], dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    values = draw.normal(size=shape) if dtype.kind == "f" else draw.integers(0, 2, shape)
    return np.asarray(values).astype(dtype)


def _worst(expected: Mapping[str, npt.NDArray[Any]], given: Mapping[str, npt.NDArray[Any]]) -> float | None:
    ratios = []
    for name, values in expected.items():
        reference, converted = np.atleast_1d(values), np.atleast_1d(given[name])
        if reference.dtype.kind not in "biuf" or reference.shape != converted.shape or not reference.size:
            continue
        finite = np.isfinite(reference)
        if not finite.any():
            continue
        if not np.isfinite(converted[finite]).all():
            return -np.inf
        accumulator = ParityAccumulator(name)
        accumulator.add(np.where(finite, reference, 0), np.where(finite, converted, 0))
        ratios.append(accumulator.result().sqnr_db)
    return min(ratios, default=None)
