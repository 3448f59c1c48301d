"""Compares two readings of one dataset, which must have given the same samples in the same order."""

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
    difference = first_difference(Path(first.path), Path(second.path))
    if difference is not None:
        raise DatasetError(
            f"the dataset changed between two readings: {difference}",
            where=dataset,
            fix="make the dataset give the same samples in the same order each time, and leave its files alone",
        )


def first_difference(before: Path, after: Path) -> str | None:
    """The first sample that two `samples.jsonl` don't agree on, in words; None where they are equal."""
    for index, (one, other) in enumerate(zip_longest(_lines(before), _lines(after))):
        if one != other:
            return f"sample {index} was {_shown(one)}, then {_shown(other)}"
    return None


def are_read_alike(before: Path, after: Path) -> bool:
    """Whether two `samples.jsonl` name the same samples with tensors of the same kinds, whatever their values are."""
    return [*map(_kinds, _lines(before))] == [*map(_kinds, _lines(after))]


def _lines(file: Path) -> list[str]:
    return file.read_text(encoding="utf-8").split("\n")


def _kinds(line: str) -> Any:
    """A sample's id, and name, dtype and shape of its tensors."""
    if not line:
        return None
    sample = json.loads(line)
    return sample["id"], {name: (tensor["dtype"], tensor["shape"]) for name, tensor in sample["tensors"].items()}


def _shown(line: str | None) -> str:
    if not line:
        return "not there"
    sample: dict[str, Any] = json.loads(line)
    digests = ", ".join(tensor["sha256"][:12] for tensor in sample["tensors"].values())
    return f"'{sample['id']}' ({digests})"
