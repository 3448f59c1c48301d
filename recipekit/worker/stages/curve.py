"""The stage `curve`: how far the ranges of a model's tensors have settled after so many calibration samples.

Ranges are the smallest and largest values, as the calibration of most schemes takes them.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from recipekit.contracts import Curve, CurvePoint, CurveRequest
from recipekit.errors import DatasetError, EvaluationError, RecipekitError, in_a_line
from recipekit.worker.census import operators_of
from recipekit.worker.engines.ai_edge_calibration import Limits, refuse_fixed_batch
from recipekit.worker.engines.ai_edge_model import with_signature
from recipekit.worker.progress import Counted
from recipekit.worker.samples import NamedSample
from recipekit.worker.signature_samples import Batches, Readings, open_readings

_STEPS = (1, 2, 5)

Array = npt.NDArray[np.float64]


def run(request: CurveRequest, folder: Path) -> Curve:
    """Runs the float32 conversion on every sample and looks at the ranges after 1, 2, 5, 10 ... and all of them.

    Raises:
        DatasetError: a sample makes a tensor of the model NaN or infinite, or as the dataset says.
        ConversionError: an input has a fixed batch.
        EvaluationError: LiteRT can't run the model.
        PluginError: code of the dataset failed.
    """
    refuse_fixed_batch(request.loaded.tensors)
    readings = open_readings(request.dataset, request.loaded.signatures, folder)
    try:
        flatbuffer = with_signature(Path(request.float32).read_bytes())
        order = [name for operator in operators_of(flatbuffer) for name in operator.outputs]
        snapshots = dict(_snapshots(Limits(flatbuffer, "min_max"), readings, Batches(request.loaded.signatures), order))
    except RecipekitError:
        raise
    except Exception as error:
        raise EvaluationError(
            f"LiteRT can't run the float32 conversion: {in_a_line(error)}",
            fix="a curve needs operators that LiteRT has; the log holds the traceback",
        ) from error
    tensors = len(next(iter(snapshots.values())))
    return Curve(tensors=tensors, points=points(snapshots), samples=readings.sample_set())


def counts() -> Iterator[int]:
    """1, 2, 5, 10, 20, 50 ... without end."""
    return (step * 10**power for power in itertools.count() for step in _STEPS)


def _snapshots(limits: Limits, readings: Readings, batches: Batches, order: list[str]) -> Iterator[tuple[int, Array]]:
    """The ranges after some counts of samples, and after all: an array of (tensors, 2) for each.

    Several signatures take turns, so that a count is one of each signature's samples.
    """
    due = counts()
    count, wanted, ranges = 0, next(due), np.empty((0, 2))
    turns = max(reading.count for reading in readings.parts.values())
    for count, turn in enumerate(Counted(itertools.zip_longest(*readings.parts.values()), turns, "samples"), 1):
        for sample in filter(None, turn):
            limits.see(sample.signature, [batches.of_one(sample)])
            _require_finite(limits, sample, order)
        ranges = _ranges(limits)
        if count == wanted:
            yield count, ranges
            wanted = next(due)
    yield count, ranges


def _require_finite(limits: Limits, sample: NamedSample, order: list[str]) -> None:
    odd = set(limits.not_finite())
    if odd:
        first = next(filter(odd.__contains__, order), min(odd))
        raise DatasetError(
            f"makes the tensor '{first}' of the model NaN or infinite [overflow-inside]",
            where=f"sample {sample.index} ('{sample.id}')",
            fix="look for a division by zero, a logarithm or an overflow there or before, and at that sample",
        )


def _ranges(limits: Limits) -> Array:
    ranges = limits.ranges()
    return np.array([[ranges[name]["min"][0], ranges[name]["max"][0]] for name in sorted(ranges)], np.float64)


def points(snapshots: Mapping[int, Array]) -> tuple[CurvePoint, ...]:
    """The curve through some snapshots, which widen from one to the next."""
    last = list(snapshots.values())[-1]
    width = last[:, 1] - last[:, 0]
    moving = width > 0
    missing = {
        count: 1 - (ranges[moving, 1] - ranges[moving, 0]) / width[moving] for count, ranges in snapshots.items()
    }
    return tuple(
        CurvePoint(samples=count, median=_quantile(shares, 0.5), p90=_quantile(shares, 0.9))
        for count, shares in missing.items()
    )


def _quantile(shares: Array, share: float) -> float:
    return float(np.quantile(shares, share)) if shares.size else 0.0
