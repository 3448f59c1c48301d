"""A sweep's summary against its children: every row says what the child's own records say."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator
from itertools import zip_longest
from pathlib import Path
from typing import Any

import msgspec

from recipekit import fsio
from recipekit.audit.recorded_summary import is_sweep, recorded_rows
from recipekit.audit.verification import Verification, verify_output
from recipekit.child_outcomes import FILE as OUTCOME
from recipekit.child_outcomes import objectives_of, row_of
from recipekit.errors import OutputAltered, UsageError
from recipekit.outcome import EXIT_CODES, Outcome
from recipekit.outputs import Difference
from recipekit.signing.checking import Trust
from recipekit.studied import FILE as STUDY
from recipekit.summary import SUMMARY, SUMMARY_TABLE, Row, as_csv, complete
from recipekit.sweeps import is_unfinished


def verify_folder(folder: Path, trust: Trust, watch: Callable[[list[Row]], Iterable[Row]] = iter) -> list[Verification]:
    """Verifies an output, or of a sweep its summary and every child's; see `verify_output` and `verify_sweep`.

    Raises:
        UsageError: it is a sweep that has no summary yet.
    """
    if is_unfinished(folder):
        raise UsageError(
            "this sweep still runs, or has lost its process, so there is no summary to verify",
            where=str(folder),
            fix=f"finish it with recipekit run --resume {folder.name}, or name its outputs",
        )
    return verify_sweep(folder, trust, watch) if is_sweep(folder) else [verify_output(folder, trust)]


def verify_sweep(folder: Path, trust: Trust, watch: Callable[[list[Row]], Iterable[Row]] = iter) -> list[Verification]:
    """Verifies a sweep's summary, then every output that it leads to.

    A sweep has no manifest of its own, so that its summary proves nothing beyond what its children prove.

    Args:
        folder: of the sweep.
        trust: whose signatures count, for the children.
        watch: hands the summary's rows on one by one, and so sees how many of how many are verified.

    Returns:
        The sweep's own, then one a child with an output.

    Raises:
        EnvironmentFault: a signature needs a package that is missing.
        OutputFault: a file can't be read.
    """
    with fsio.reported(folder):
        try:
            rows = list(recorded_rows(folder))
        except (ValueError, RecursionError) as error:
            problem = f"is no summary of a sweep: {error}"
            return [Verification(output=str(folder), differences=(Difference(place=SUMMARY, problem=problem),))]
        found = [*_table_differences(folder, rows), *_outcome_differences(folder, rows)]
        children = []
        for row in watch(rows):
            if row["output"]:
                child = (folder / row["output"]).resolve()
                children.append(verify_output(child, trust))
                found += _row_differences(row, children[-1])
    summary = f"{len(rows)} children, {len(children)} of them with an output"
    return [Verification(output=str(folder), differences=tuple(found), notes=(summary,)), *children]


def _table_differences(folder: Path, rows: list[dict[str, Any]]) -> Iterator[Difference]:
    """The summary as a table says the same."""
    expected = csv.DictReader(io.StringIO(as_csv(rows)))
    if not (folder / SUMMARY_TABLE).is_file():
        yield Difference(place=SUMMARY_TABLE, problem="is missing")
        return
    try:
        table = list(csv.DictReader(io.StringIO((folder / SUMMARY_TABLE).read_bytes().decode())))
    except (ValueError, csv.Error) as error:
        yield Difference(place=SUMMARY_TABLE, problem=f"is no table: {error}")
        return
    for number, (wanted, got) in enumerate(zip_longest(expected, table), start=2):
        if wanted != got:
            yield Difference(place=f"{SUMMARY_TABLE} line {number}", expected=_shown(wanted), got=_shown(got))


def _outcome_differences(folder: Path, rows: list[dict[str, Any]]) -> Iterator[Difference]:
    """Each row is what the children's own outcomes say; a child that was lost has none."""
    try:
        objectives = objectives_of(folder)
    except OutputAltered as altered:
        yield Difference(place=STUDY, problem=altered.what)
        return
    outcomes: list[dict[str, Any]] = []
    for row in rows:
        place = f"{row['number']}/{OUTCOME}"
        if row["number"] == -1:
            outcomes.append(row)
        elif not (folder / place).is_file():
            yield Difference(place=place, problem="is missing")
        else:
            try:
                outcome = msgspec.json.decode((folder / place).read_bytes(), type=Outcome)
            except ValueError as error:
                yield Difference(place=place, problem=f"is no outcome: {error}")
                continue
            row_there = row_of(outcome, objectives)
            outcomes.append({**row_there, "output": row["output"]})  # an absolute path there, a relative one here
    if len(outcomes) < len(rows):
        return
    for row, expected in zip(rows, complete(outcomes, objectives), strict=True):
        for key in row:  # a summary of before a column was there is no other summary
            if row[key] != expected.get(key):
                where = f"{SUMMARY} child {row['number']} {key}"
                yield Difference(place=where, expected=str(expected.get(key)), got=str(row[key]))


def _row_differences(row: dict[str, Any], child: Verification) -> Iterator[Difference]:
    """A row gives the verdict that its output records, and the exit code that this verdict means."""
    place = f"{SUMMARY} child {row['number']}"
    expected = {"verdict": child.verdict, "exit_code": EXIT_CODES.get(child.verdict)} if child.verdict else {}
    for key, value in expected.items():
        if row[key] != value:
            yield Difference(place=f"{place} {key}", expected=str(value), got=str(row[key]))


def _shown(row: dict[str, str] | None) -> str:
    return "nothing" if row is None else ",".join(map(str, row.values()))
