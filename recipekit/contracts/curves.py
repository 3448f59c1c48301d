"""How the ranges of a model's tensors settle with the number of calibration samples."""

from __future__ import annotations

from recipekit.contracts.declared import DatasetSpec
from recipekit.contracts.loaded import LoadedModel
from recipekit.contracts.record import Record
from recipekit.contracts.samples import SampleSet


class CurveRequest(Record, frozen=True, kw_only=True):
    """Ask how the ranges of a float32 conversion's tensors settle with the number of calibration samples."""

    loaded: LoadedModel
    float32: str
    dataset: DatasetSpec


class CurvePoint(Record, frozen=True, kw_only=True):
    """How much of the tensors' ranges is still missing after some samples.

    Attributes:
        samples: so many of them, the first ones of each signature.
        median: over tensors, the share of the range over all samples that these don't reach.
        p90: the 90th percentile of it.
    """

    samples: int
    median: float
    p90: float


class Curve(Record, frozen=True, kw_only=True):
    """How ranges settle.

    Attributes:
        tensors: number of tensors behind it; those whose value never changes don't count for the shares.
        points: by number of samples; the last one is of all of them, where nothing is missing.
        samples: that were read.
    """

    tensors: int
    points: tuple[CurvePoint, ...]
    samples: SampleSet
