"""The rows of a summary: what every child became, flat, in columns that all of them share.

An outcome knows itself alone. What only a comparison tells is added here: which overrides differ, and which children
no other one beats. The same rows are the summary's JSON, its CSV and its page.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Any

from recipekit.pareto import Direction, front

Row = dict[str, Any]

COMPARED = ("pareto", "pareto_objectives")
"""Columns that depend on the other rows, beside those that begin with `CHANGED`."""

CHANGED = "override."
"""Begins the name of a column that holds the values of an override that is not the same for all."""

TASK = "task."
"""Begins the name of a column of a task metric."""

REMOVED = "(removed)"
"""Stands for the value of a key that an override takes away."""

DIRECTIONS: dict[str, Direction] = {
    "size": "min",
    "ratio": "min",
    "sqnr_db": "max",
    "argmax_agreement": "max",
    "latency_p50_ms": "min",
    "seconds": "min",
}
"""Which way the metrics that every recipe has get better."""


def complete(rows: Iterable[Mapping[str, Any]]) -> list[Row]:
    """Rows with the columns of all of them, and with those that a comparison adds.

    Args:
        rows: as `Outcome.row` gives them, or as a summary holds them; what a summary has added is made anew.

    Returns:
        New rows with the same keys in the same order; a value that a row lacks is None. Added are `pareto`, whether no
        other child beats it, `pareto_objectives` as `metric:direction`, and `override.KEY` for each key that the
        command line doesn't give the same value for all.
    """
    plain = [{key: value for key, value in row.items() if not _is_compared(key)} for row in rows]
    columns = dict.fromkeys(chain.from_iterable(plain))
    fixed = [column for column in columns if not column.startswith(TASK)]
    tasks = sorted(column for column in columns if column.startswith(TASK))
    full: list[Row] = [{column: row.get(column) for column in (*fixed, *tasks)} for row in plain]
    objectives = pareto_objectives(full)
    stated = [f"{metric}:{direction}" for metric, direction in objectives.items()]
    best = on_front(full, objectives)
    changes = [overridden(row["overrides"]) for row in full]
    changed = _changed_keys(changes)
    return [
        {
            **row,
            "pareto": bool(objectives) and is_best,
            "pareto_objectives": stated,
            **{CHANGED + key: values.get(key) for key in changed},
        }
        for row, is_best, values in zip(full, best, changes, strict=True)
    ]


def on_front(rows: Sequence[Mapping[str, Any]], objectives: Mapping[str, Direction]) -> list[bool]:
    """Whether each row is on the Pareto front of those that are a choice: neither rejected nor failed.

    Args:
        rows: with `verdict` and the metrics.
        objectives: metrics and which way they get better.
    """
    choices = ({} if row["verdict"] in {"rejected", "failed"} else row for row in rows)
    points = [[choice.get(metric) for metric in objectives] for choice in choices]
    return front(points, list(objectives.values()))


def overridden(overrides: Iterable[str]) -> dict[str, str]:
    """Keys and groups with the values that a command line gives them, as it spells them; the last one counts."""
    found = {}
    for override in overrides:
        key, _, value = override.partition("=")
        removes = key.startswith("~")
        found[key.lstrip("+~")] = REMOVED if removes else value
    return found


def in_common(rows: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """The overrides that all rows have with the same value."""
    first, *others = (overridden(row["overrides"]).items() for row in rows) if rows else ({}.items(),)
    return {key: value for key, value in first if all((key, value) in other for other in others)}


def directions(rows: Iterable[Mapping[str, Any]]) -> dict[str, Direction]:
    """Which way each metric gets better that a row has a value of, and the drop of each task metric."""
    found: dict[str, Direction] = {}
    for row in rows:
        for column, value in row.items():
            if value is None:
                continue
            if column in DIRECTIONS:
                found[column] = DIRECTIONS[column]
            elif column.startswith(TASK) and column.endswith(".better"):
                metric = column.removesuffix(".better")
                found |= {metric: "max" if value == "higher" else "min", f"{metric}.drop": "min"}
    return found


def pareto_objectives(rows: Sequence[Mapping[str, Any]]) -> dict[str, Direction]:
    """What the front of a summary weighs: size, latency, and the quality that most rows have, as far as measured.

    Quality is a task metric, the first by name of those that as many have, or the SQNR of the worst output where no
    task metric was measured.
    """
    known = directions(rows)
    scores = [column for column in known if column.startswith(TASK) and not column.endswith(".drop")]
    counts = Counter(column for row in rows for column in scores if row.get(column) is not None)
    quality = min(counts, key=lambda metric: (-counts[metric], metric), default="sqnr_db")
    return {metric: known[metric] for metric in ("size", "latency_p50_ms", quality) if metric in known}


def as_csv(rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows as CSV with a line of heads; the parts of a list are set apart by spaces."""
    table = io.StringIO()
    writer = csv.DictWriter(table, fieldnames=list(rows[0]) if rows else ["number"])
    writer.writeheader()
    writer.writerows({key: _flat(value) for key, value in row.items()} for row in rows)
    return table.getvalue()


def _flat(value: Any) -> Any:
    return " ".join(map(str, value)) if isinstance(value, list) else value


def _is_compared(column: str) -> bool:
    return column in COMPARED or column.startswith(CHANGED)


def _changed_keys(changes: Sequence[Mapping[str, str]]) -> list[str]:
    keys = dict.fromkeys(chain.from_iterable(changes))
    return [key for key in keys if len({values.get(key) for values in changes}) > 1]
