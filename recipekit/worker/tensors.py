"""Tensors of one sample: taken from what a dataset gave, named and checked against a model's inputs.

TensorFlow converts happily with samples of a wrong name, shape or element type, with NaN, and dies of infinities; so
every sample is checked here before any library sees it. This module knows nothing of where a sample came from.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from recipekit.contracts import Signature, TensorSpec
from recipekit.errors import DatasetError
from recipekit.nearest import did_you_mean

Array: TypeAlias = npt.NDArray[Any]
Tensors: TypeAlias = dict[str, Array]
Transform: TypeAlias = Callable[[Array], Array]

UNNAMED = ""
"""The name of a bare array until a signature names it."""

NUMERIC_TYPES = (
    *("float16", "float32", "float64"),
    *("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"),
)
"""Element types that a recipe may name for numbers."""

_KINDS = "biufcUS"


def as_tensors(value: object, place: str) -> Tensors:
    """What a dataset gave as C-ordered arrays of native byte order, by name.

    Args:
        value: a mapping of names to arrays, or a bare array, which goes by the name `UNNAMED`.
        place: what an error calls the sample.

    Raises:
        DatasetError: a name isn't a string, or a value isn't an array of numbers, truth values or strings.
    """
    named = value if isinstance(value, Mapping) else {UNNAMED: value}
    if not named:
        raise DatasetError("holds no tensor", where=place, fix="give one array for each input of the model")
    for name in named:
        if not isinstance(name, str):
            raise DatasetError(
                f"names a tensor {name!r}, which is not a string", where=place, fix="use the model's input names"
            )
    return {name: as_array(array, name, place) for name, array in named.items()}


def as_array(value: object, name: str, place: str) -> Array:
    """One value as a C-ordered array of native byte order; a copy is made only where one is needed.

    Raises:
        DatasetError: the value isn't an array of numbers, truth values or strings.
    """
    try:
        array = np.asarray(value, order="C")
    except (ValueError, TypeError) as error:
        raise DatasetError(
            f"{_call(name)} is not an array: {error}", where=place, fix="give arrays with one shape and element type"
        ) from error
    if array.dtype.kind not in _KINDS and array.dtype.name != "bfloat16":
        raise DatasetError(
            f"{_call(name)} has element type {array.dtype}",
            where=place,
            fix="give arrays of numbers, truth values or strings",
        )
    return array.astype(array.dtype.newbyteorder("="), copy=False)


def element_type(array: Array) -> str:
    """The name of an array's element type as signatures spell it: NumPy's, and `str` for strings of any length."""
    return "str" if array.dtype.kind in "US" else array.dtype.name


def fits(value: float, dtype: np.dtype[Any]) -> bool:
    """Whether an integer or float type has a number in its range; NaN and infinities are in every float type's."""
    low, high = _range(dtype)
    if math.isfinite(value):
        return low <= value <= high
    return dtype.kind == "f"


@cache
def _range(dtype: np.dtype[Any]) -> tuple[float, float]:
    if dtype.kind == "f":
        largest = float(np.finfo(dtype).max)
        return -largest, largest
    bounds = np.iinfo(dtype)
    return bounds.min, bounds.max


def fit(tensors: Tensors, signature: Signature, place: str) -> Tensors:
    """The tensors under the model's input names, in the signature's order, each checked.

    Args:
        tensors: arrays without batch dimension; a single unnamed one takes the name of the only input.
        signature: inputs with batch dimension; a dimension of None matches any length.
        place: what an error calls the sample.

    Raises:
        DatasetError: a name, shape or element type differs from the model's, or a value is NaN or infinite.
    """
    named = _name(tensors, signature, place)
    for spec in signature.inputs:
        _check_shape(named[spec.name], spec, place)
        _check_element_type(named[spec.name], spec, place)
        _check_finite(named[spec.name], spec, place)
    return {spec.name: named[spec.name] for spec in signature.inputs}


def _name(tensors: Tensors, signature: Signature, place: str) -> Tensors:
    names = [spec.name for spec in signature.inputs]
    if list(tensors) == [UNNAMED] and names != [UNNAMED]:
        if len(names) != 1:
            raise DatasetError(
                f"is one array without a name, but the model has {len(names)} inputs: {', '.join(names)}",
                where=place,
                fix="give a mapping of input names to arrays",
            )
        return {names[0]: tensors[UNNAMED]}
    missing = [name for name in names if name not in tensors]
    unknown = [name for name in tensors if name not in names]
    faults = [f"lacks the input '{name}'" for name in missing]
    faults += [f"holds '{name}', which is no input of the model{did_you_mean(name, missing)}" for name in unknown]
    if faults:
        raise DatasetError(", ".join(faults), where=place, fix=f"name its tensors {', '.join(names)}")
    return tensors


def _check_shape(array: Array, spec: TensorSpec, place: str) -> None:
    expected = spec.shape[1:]
    if _matches(array.shape, expected):
        return
    if array.ndim and _matches(array.shape[1:], expected):
        raise DatasetError(
            f"the input '{spec.name}' has an extra leading batch dimension:"
            f" expected shape {_show(expected)}, got {_show(array.shape)}",
            where=place,
            fix="give one sample at a time without the batch dimension",
        )
    raise DatasetError(
        f"the input '{spec.name}' has a wrong shape: expected {_show(expected)}, got {_show(array.shape)}",
        where=place,
        fix="bring it to that shape with `preprocess`: resize, center_crop, channels, reshape or transpose",
    )


def _matches(shape: tuple[int, ...], expected: tuple[int | None, ...]) -> bool:
    return len(shape) == len(expected) and all(
        known is None or length == known for length, known in zip(shape, expected, strict=True)
    )


def _check_element_type(array: Array, spec: TensorSpec, place: str) -> None:
    got = element_type(array)
    if got == spec.dtype:
        return
    cure = "give an array of strings" if spec.dtype == "str" else f"add `{{cast: {spec.dtype}}}` to `preprocess`"
    raise DatasetError(
        f"the input '{spec.name}' has a wrong element type: expected {spec.dtype}, got {got}", where=place, fix=cure
    )


def _check_finite(array: Array, spec: TensorSpec, place: str) -> None:
    if array.dtype.kind in "biuUS":
        return
    finite = np.isfinite(array)
    if finite.all():
        return
    position = tuple(int(axis) for axis in np.unravel_index(int(np.argmin(finite)), array.shape))
    raise DatasetError(
        f"the input '{spec.name}' holds {array[position]} at {_show(position)}",
        where=place,
        fix="remove or repair that sample; a model can be neither calibrated nor compared with it",
    )


def _call(name: str) -> str:
    return "its array" if name == UNNAMED else f"its tensor '{name}'"


def _show(shape: tuple[int | None, ...]) -> str:
    return f"({', '.join('any' if length is None else str(length) for length in shape)})"
