"""The rows that a sweep's summary records, read one by one as if they came from a stranger."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import UnionType
from typing import Any

from recipekit import manifest as manifests
from recipekit.outcome import EXIT_CODES
from recipekit.summary import DIRECTIONS, SUMMARY, Row

_NEEDED = {
    "number",
    "recipe",
    "overrides",
    "name",
    "verdict",
    "exit_code",
    "error",
    "size",
    "sqnr_db",
    "seconds",
    "output",
}
"""Columns that every summary has had."""

_KINDS: dict[str, type | UnionType] = {
    "number": int,
    "recipe": str,
    "overrides": list,
    "name": str,
    "verdict": str,
    "error": str | None,
    "output": str,
    **dict.fromkeys(DIRECTIONS, float | int | None),
}


def is_sweep(folder: Path) -> bool:
    """Whether a folder is a sweep's, which has a summary instead of a manifest."""
    return (folder / SUMMARY).is_file() and not (folder / manifests.FILE).exists()


def recorded_rows(folder: Path) -> Iterator[Row]:
    """The rows of a sweep's summary, each as soon as it is read, so that no memory need hold them all.

    Raises:
        ValueError, RecursionError: the file isn't a summary, from the row on where it ceases to be one.
        OSError: it can't be read.
    """
    with (folder / SUMMARY).open(encoding="utf-8") as stream:
        for row in manifests.strict_items(stream):
            _require_row(row)
            yield row


def _require_row(row: Any) -> None:
    if not isinstance(row, dict) or not row.keys() >= _NEEDED:
        raise ValueError(f"it should be a list of rows with {', '.join(sorted(_NEEDED))}")
    if not all(isinstance(row.get(key), kind) for key, kind in _KINDS.items()):
        raise ValueError("a value is of another type than its column")
    if row["verdict"] not in {*EXIT_CODES, "failed"} or not all(isinstance(it, str) for it in row["overrides"]):
        raise ValueError("there is no such verdict, or an override is no text")
    if not row["output"].isprintable():
        raise ValueError("an output's path can't be shown")
