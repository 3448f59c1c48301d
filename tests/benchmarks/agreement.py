"""Whether both sides did the same work: a comparison of times means nothing if their models differ."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

_SQNR_DB = 0.1
_EXACT_DB = 60.0  # above it, rounding of the float model's own arithmetic is all that is left
_TOP1 = 0.003  # one sample of 500 may fall on the other side
_SIZE = 0.01  # metadata and names


class Figures(NamedTuple):
    """What tells one converted model from another, and nearly nothing else."""

    sqnr_db: float
    top1_float: float
    top1_converted: float
    size: float


class Disagreement(Exception):
    """recipekit and the scripts built different models."""


def of_recipekit(outputs: Path) -> list[Figures]:
    """Figures of every output in a project's outputs folder."""
    paths = outputs.glob("[!.]*/*/*/results.json")  # name/version/key; stages in the store have other names
    return [_of_output(json.loads(path.read_text())["measurement"]) for path in paths]


def of_scripts(folder: Path) -> list[Figures]:
    """Figures of every script's `result.json` at any depth of a folder."""
    results = [json.loads(path.read_text()) for path in folder.rglob("result.json")]
    return [
        Figures(result["sqnr_db"], result["top1_float"], result["top1_converted"], result["size"]) for result in results
    ]


def require_same(ours: Sequence[Figures], theirs: Sequence[Figures]) -> None:
    """Compares two sets of models, the most exact ones with each other.

    Raises:
        Disagreement: their numbers differ by more than the arithmetic of two runtimes explains.
    """
    if len(ours) != len(theirs):
        raise Disagreement(f"recipekit built {len(ours)} models, the scripts {len(theirs)}")
    for mine, other in zip(sorted(ours), sorted(theirs), strict=True):
        if not _same(mine, other):
            raise Disagreement(f"recipekit built {mine}, the scripts {other}")


def _same(mine: Figures, other: Figures) -> bool:
    decibels = abs(min(mine.sqnr_db, _EXACT_DB) - min(other.sqnr_db, _EXACT_DB))
    top1 = max(abs(mine.top1_float - other.top1_float), abs(mine.top1_converted - other.top1_converted))
    return decibels <= _SQNR_DB and top1 <= _TOP1 and abs(mine.size - other.size) <= _SIZE * other.size


def _of_output(measurement: dict[str, Any]) -> Figures:
    parity = measurement["parity"]["probabilities"]
    task = measurement["task"]["top1_accuracy"]
    return Figures(parity["sqnr_db"], task["float_value"], task["converted_value"], measurement["size"])
