"""What one reading of a dataset gave."""

from __future__ import annotations

from recipekit.contracts.record import Record


class SampleSet(Record, frozen=True, kw_only=True):
    """What one reading of a dataset gave.

    Attributes:
        path: `samples.jsonl`: a line a sample, in order, with its id and each tensor's sha256, dtype and shape.
        sha256: digest of that file.
        count: number of samples.
        labelled: whether every sample had a label.
    """

    path: str
    sha256: str
    count: int
    labelled: bool
