"""What one reading of a dataset gave."""

from __future__ import annotations

from msgspec import UNSET, UnsetType

from recipekit.contracts.record import Record


class NonFinite(Record, frozen=True, kw_only=True):
    """Values of an input that are NaN or infinite.

    Attributes:
        count: number of samples that hold one.
        index: the first of them.
        position: of its first such value, without batch dimension.
        value: that value as text; JSON has no number for it.
    """

    count: int
    index: int
    position: tuple[int, ...]
    value: str


class TensorStatistics(Record, frozen=True, kw_only=True):
    """The values of one numeric tensor over a whole reading, those that aren't finite left out.

    Attributes:
        name: as the dataset calls it; empty for a bare array.
        lowest: smallest value.
        highest: largest value.
        mean: of all values of all samples.
        std: their standard deviation.
        extremes: a raw file of native float64: smallest and largest value of each sample in turn, NaN where it has
            none; empty where that was not asked for.
        values: a raw file of native float64, smallest first: some ten thousand of all values, evenly drawn; empty where
            that was not asked for.
        non_finite: None where every value is finite.
    """

    name: str
    lowest: float
    highest: float
    mean: float
    std: float
    extremes: str
    values: str = ""
    non_finite: NonFinite | None = None


class SampleSet(Record, frozen=True, kw_only=True):
    """What one reading of a dataset gave.

    Attributes:
        path: `samples.jsonl`: a line a sample, in order, with its id and each tensor's sha256, dtype and shape.
        sha256: digest of that file.
        count: number of samples.
        labelled: whether every sample had a label.
        statistics: of numeric tensors, by the first reading alone; later ones leave it empty.
        signatures: of a model with several signatures, the samples of each by its key, in the order of the lines.
    """

    path: str
    sha256: str
    count: int
    labelled: bool
    statistics: tuple[TensorStatistics, ...] = ()
    signatures: dict[str, SampleSet] | UnsetType = UNSET

    def of(self, signature: str) -> SampleSet:
        """The samples of one signature: all of them, where the model has no other."""
        return self if self.signatures is UNSET else self.signatures[signature]
