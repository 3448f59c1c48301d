"""A sweep's summary against its children: every row says what the child's own records say."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator
from itertools import zip_longest
from pathlib import Path
from types import UnionType
from typing import Any

import msgspec

from recipekit import fsio
from recipekit import manifest as manifests
from recipekit.audit.verification import Verification, verify_output
from recipekit.errors import UsageError
from recipekit.outcome import EXIT_CODES, Outcome
from recipekit.outputs import Difference
from recipekit.signing.checking import Trust
from recipekit.summary import DIRECTIONS, as_csv, complete
from recipekit.sweeps import is_unfinished

Row = dict[str, Any]
"""One row of a summary."""

_SUMMARY = "summary.json"
_TABLE = "summary.csv"
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
    return (folder / _SUMMARY).is_file() and not (folder / manifests.FILE).exists()


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
            rows = read_summary(folder)
        except (ValueError, RecursionError) as error:
            problem = f"is no summary of a sweep: {error}"
            return [Verification(output=str(folder), differences=(Difference(place=_SUMMARY, problem=problem),))]
        found = [*_table_differences(folder, rows), *_outcome_differences(folder, rows)]
        children = []
        for row in watch(rows):
            if row["output"]:
                child = (folder / row["output"]).resolve()
                children.append(verify_output(child, trust))
                found += _row_differences(row, children[-1])
    summary = f"{len(rows)} children, {len(children)} of them with an output"
    return [Verification(output=str(folder), differences=tuple(found), notes=(summary,)), *children]


def read_summary(folder: Path) -> list[Row]:
    """The rows of a sweep's summary.

    Raises:
        ValueError, RecursionError: the file isn't a summary.
        OSError: it can't be read.
    """
    rows = manifests.strict_json((folder / _SUMMARY).read_bytes().decode())
    if not isinstance(rows, list) or not all(isinstance(row, dict) and row.keys() >= _NEEDED for row in rows):
        raise ValueError(f"it should be a list of rows with {', '.join(sorted(_NEEDED))}")
    if not all(isinstance(row.get(key), kind) for row in rows for key, kind in _KINDS.items()):
        raise ValueError("a value is of another type than its column")
    if not all(row["verdict"] in {*EXIT_CODES, "failed"} and all(map(_is_text, row["overrides"])) for row in rows):
        raise ValueError("there is no such verdict, or an override is no text")
    if not all(row["output"].isprintable() for row in rows):
        raise ValueError("an output's path can't be shown")
    return rows


def _table_differences(folder: Path, rows: list[dict[str, Any]]) -> Iterator[Difference]:
    """The summary as a table says the same."""
    expected = csv.DictReader(io.StringIO(as_csv(rows)))
    if not (folder / _TABLE).is_file():
        yield Difference(place=_TABLE, problem="is missing")
        return
    try:
        table = list(csv.DictReader(io.StringIO((folder / _TABLE).read_bytes().decode())))
    except (ValueError, csv.Error) as error:
        yield Difference(place=_TABLE, problem=f"is no table: {error}")
        return
    for number, (wanted, got) in enumerate(zip_longest(expected, table), start=2):
        if wanted != got:
            yield Difference(place=f"{_TABLE} line {number}", expected=_shown(wanted), got=_shown(got))


def _outcome_differences(folder: Path, rows: list[dict[str, Any]]) -> Iterator[Difference]:
    """Each row is what the children's own outcomes say; a child that was lost has none."""
    outcomes: list[dict[str, Any]] = []
    for row in rows:
        place = f"{row['number']}/outcome.json"
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
            outcomes.append({**outcome.row(), "output": row["output"]})  # an absolute path there, a relative one here
    if len(outcomes) < len(rows):
        return
    for row, expected in zip(rows, complete(outcomes), strict=True):
        for key in row:  # a summary of before a column was there is no other summary
            if row[key] != expected.get(key):
                where = f"{_SUMMARY} child {row['number']} {key}"
                yield Difference(place=where, expected=str(expected.get(key)), got=str(row[key]))


def _row_differences(row: dict[str, Any], child: Verification) -> Iterator[Difference]:
    """A row gives the verdict that its output records, and the exit code that this verdict means."""
    place = f"{_SUMMARY} child {row['number']}"
    expected = {"verdict": child.verdict, "exit_code": EXIT_CODES.get(child.verdict)} if child.verdict else {}
    for key, value in expected.items():
        if row[key] != value:
            yield Difference(place=f"{place} {key}", expected=str(value), got=str(row[key]))


def _shown(row: dict[str, str] | None) -> str:
    return "nothing" if row is None else ",".join(map(str, row.values()))


def _is_text(value: object) -> bool:
    return isinstance(value, str)
