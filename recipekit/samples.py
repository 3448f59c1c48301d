"""Two readings of one dataset must have given the same samples in the same order."""

from __future__ import annotations

import json
from itertools import zip_longest
from pathlib import Path
from typing import Any

from recipekit.contracts import SampleSet
from recipekit.errors import DatasetError


def require_same_samples(first: SampleSet, second: SampleSet, dataset: str) -> None:
    """Compares two readings.

    Args:
        first: the reading that the build is keyed by.
        second: a later one.
        dataset: what the message calls the dataset.

    Raises:
        DatasetError: they differ; the message names the first sample that does.
    """
    if first.sha256 == second.sha256:
        return
    for index, (before, after) in enumerate(zip_longest(_lines(first), _lines(second))):
        if before != after:
            raise DatasetError(
                f"the dataset changed between two readings: sample {index} was {_shown(before)}, then {_shown(after)}",
                where=dataset,
                fix="make the dataset give the same samples in the same order each time, and leave its files alone",
            )


def _lines(samples: SampleSet) -> list[str]:
    return Path(samples.path).read_text(encoding="utf-8").split("\n")


def _shown(line: str | None) -> str:
    if not line:
        return "not there"
    sample: dict[str, Any] = json.loads(line)
    digests = ", ".join(tensor["sha256"][:12] for tensor in sample["tensors"].values())
    return f"'{sample['id']}' ({digests})"
