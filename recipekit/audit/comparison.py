"""Outputs and sweeps as the rows of one summary, whatever runs they come from."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from recipekit import fsio
from recipekit.acceptance import Check
from recipekit.audit.recorded import read_recorded
from recipekit.audit.sweep_verification import is_sweep, read_summary
from recipekit.contracts import Measurement
from recipekit.errors import OutputAltered
from recipekit.outcome import Outcome
from recipekit.outcomes import Outcomes
from recipekit.summary import Row, complete
from recipekit.sweeps import is_unfinished


def compared(folders: Sequence[Path], place: Path) -> list[Row]:
    """Rows of a summary: one an output, and of a sweep one a child, as far as they have ended.

    Args:
        folders: of outputs and sweeps, absolute.
        place: the folder that the outputs in the rows are relative to.

    Returns:
        The rows in that order; numbered anew unless they are those of a single sweep.

    Raises:
        OutputAltered: an output isn't what its manifest says, or a summary is none.
        OutputFault: a file can't be read.
    """
    rows = [row for folder in folders for row in _rows(folder, place)]
    if len(folders) > 1:
        rows = [{**row, "number": number} for number, row in enumerate(rows)]
    return complete(rows)


def _rows(folder: Path, place: Path) -> Iterator[Row]:
    if is_sweep(folder):
        for row in _summary(folder):
            yield {**row, "output": _seen_from(place, folder / row["output"]) if row["output"] else ""}
    elif is_unfinished(folder):
        with fsio.reported(folder):
            outcomes = Outcomes(folder)
        for outcome in outcomes:
            yield {**outcome.row(), "output": _seen_from(place, Path(outcome.output)) if outcome.output else ""}
    else:
        statement, results = read_recorded(folder)
        yield {**_outcome(statement, results).row(), "output": _seen_from(place, folder)}


def _summary(folder: Path) -> list[dict[str, Any]]:
    with fsio.reported(folder):
        try:
            return read_summary(folder)
        except (ValueError, RecursionError) as error:
            raise OutputAltered(
                f"is no summary of a sweep: {error}", where=str(folder / "summary.json"), fix="run the sweep again"
            ) from error


def _outcome(statement: dict[str, Any], results: dict[str, Any]) -> Outcome:
    asked = statement["predicate"]["buildDefinition"]["externalParameters"]
    return Outcome(
        recipe=Path(asked["recipe"]["path"]).stem,
        overrides=tuple(asked["overrides"]),
        status=results["verdict"],
        seconds=sum(stage["seconds"] for stage in results["stages"]),
        name=results["name"],
        version=results["version"],
        build_key=results["build_key"],
        checks=msgspec.convert(results["checks"], tuple[Check, ...]),
        measurement=msgspec.convert(results["measurement"], Measurement),
    )


def _seen_from(place: Path, folder: Path) -> str:
    return Path(os.path.relpath(folder, place)).as_posix()
