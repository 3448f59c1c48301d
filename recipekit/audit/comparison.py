"""Outputs and sweeps as the rows of one summary, whatever runs they come from."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec

from recipekit import fsio
from recipekit.acceptance import Check
from recipekit.audit.recorded import read_recorded
from recipekit.audit.recorded_summary import is_sweep, recorded_rows
from recipekit.child_outcomes import Lines, Outcomes, objectives_of, row_of
from recipekit.contracts import Measurement
from recipekit.errors import OutputAltered
from recipekit.outcome import Outcome
from recipekit.pareto import Direction
from recipekit.summary import SUMMARY, Row, Summary
from recipekit.sweeps import is_unfinished


@contextmanager
def compared(folders: Sequence[Path], place: Path) -> Iterator[Summary]:
    """Rows of a summary: one an output, and of a sweep one a child, as far as they have ended.

    No memory holds them at once; they lie in a file until the end of the block.

    Args:
        folders: of outputs and sweeps, absolute.
        place: the folder that the outputs in the rows are relative to.

    Yields:
        The rows in that order, numbered anew unless they are those of a single sweep; its search says what is weighed.

    Raises:
        OutputAltered: an output isn't what its manifest says, or a summary or a record of a study is none.
        OutputFault: a file can't be read.
    """
    with fsio.reported(folders[0]):
        objectives = objectives_of(folders[0]) if len(folders) == 1 else None
    rows = (row for folder in folders for row in _rows(folder, place, objectives))
    if len(folders) > 1:
        rows = ({**row, "number": number} for number, row in enumerate(rows))
    with TemporaryDirectory(prefix="recipekit-") as scratch:
        with fsio.reported(Path(scratch)):
            summary = Summary(Lines(Path(scratch) / "rows", rows), objectives)
        yield summary


def _rows(folder: Path, place: Path, objectives: Mapping[str, Direction] | None) -> Iterator[Row]:
    if is_sweep(folder):
        for row in _summary(folder):
            yield {**row, "output": _seen_from(place, folder / row["output"]) if row["output"] else ""}
    elif is_unfinished(folder):
        with fsio.reported(folder):
            outcomes = Outcomes(folder)
        for outcome in outcomes:
            output = _seen_from(place, Path(outcome.output)) if outcome.output else ""
            yield {**row_of(outcome, objectives), "output": output}
    else:
        statement, results = read_recorded(folder)
        yield {**_outcome(statement, results).row(), "output": _seen_from(place, folder)}


def _summary(folder: Path) -> Iterator[Row]:
    with fsio.reported(folder):
        try:
            yield from recorded_rows(folder)
        except (ValueError, RecursionError) as error:
            raise OutputAltered(
                f"is no summary of a sweep: {error}", where=str(folder / SUMMARY), fix="run the sweep again"
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
