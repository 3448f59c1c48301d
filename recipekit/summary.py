"""The rows of a summary: what every child became, flat, in columns that all of them share.

An outcome knows itself alone. What only a comparison tells is added here: which overrides differ, and which children
no other one beats. The same rows are the summary's JSON, its CSV and its page.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from recipekit import digests
from recipekit.pareto import Direction, Front

Row = dict[str, Any]

SUMMARY, SUMMARY_TABLE, SUMMARY_PAGE = "summary.json", "summary.csv", "summary.html"
"""The files of a sweep's summary, in its folder."""

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


_COLUMNS = {
    "size.bytes": "size",
    "size.ratio": "ratio",
    "parity.sqnr_db": "sqnr_db",
    "parity.argmax_agreement": "argmax_agreement",
    "latency.p50_ms": "latency_p50_ms",
}
"""Columns of metrics that a search calls by the name of their bound; those of all others have the metric's own name."""


class Comparison:
    """What rows have to do with each other, found in one look at each; it keeps none of them.

    Attributes:
        columns: of all rows, those that a comparison adds left out, task metrics last and by name.
        changed: keys of overrides that the command line doesn't give the same value for all.
        in_common: the overrides that all rows have with the same value.
        directions: which way each metric gets better that a row has a value of, and the drop of each task metric.
        objectives: what the front of a summary weighs: what a search aimed at, else size, latency, and the quality that
            most rows have, as far as measured. Quality is a task metric, the first by name of those that as many have,
            or the SQNR of the worst output where no task metric was measured.
    """

    def __init__(self, rows: Iterable[Mapping[str, Any]], objectives: Mapping[str, Direction] | None = None) -> None:
        """Looks at rows, as `Outcome.row` gives them, or as a summary holds them.

        Args:
            rows: all of them.
            objectives: of the search whose children they are, by column; None where nobody searched.
        """
        columns: dict[str, None] = {}
        counts: Counter[str] = Counter()
        self.directions: dict[str, Direction] = {}
        self._values: dict[str, str] = {}
        self._compared = 0
        self._changed: set[str] = set()
        for row in rows:
            for column, value in row.items():
                if not _is_compared(column):
                    columns[column] = None
                    if value is not None:
                        self._note(column, value, counts)
            self._compare(overridden(row["overrides"]))
        fixed = [column for column in columns if not column.startswith(TASK)]
        self.columns = (*fixed, *sorted(columns.keys() - set(fixed)))
        self.changed = [key for key in self._values if key in self._changed]
        self.in_common = {key: self._values[key] for key in self._values if key not in self._changed}
        self.objectives = self._weighed(counts) if objectives is None else dict(objectives)
        self.directions |= self.objectives

    def _weighed(self, counts: Mapping[str, int]) -> dict[str, Direction]:
        scores = {column: counts[column] for column in self.directions if column in counts}
        quality = min(scores, key=lambda metric: (-scores[metric], metric), default="sqnr_db")
        known = self.directions
        return {metric: known[metric] for metric in ("size", "latency_p50_ms", quality) if metric in known}

    def _note(self, column: str, value: Any, counts: Counter[str]) -> None:
        if column in DIRECTIONS:
            self.directions[column] = DIRECTIONS[column]
        elif column.startswith(TASK):
            if column.endswith(".better"):
                metric = column.removesuffix(".better")
                self.directions |= {metric: "max" if value == "higher" else "min", f"{metric}.drop": "min"}
            elif not column.endswith(".drop"):
                counts[column] += 1

    def _compare(self, values: Mapping[str, str]) -> None:
        self._changed.update(key for key, value in self._values.items() if values.get(key) != value)
        fresh = {key: value for key, value in values.items() if key not in self._values}
        self._changed.update(fresh if self._compared else ())
        self._values.update(fresh)
        self._compared += 1


class Summary(Collection[Row]):
    """Rows with the columns of all of them, and with those that a comparison adds; made anew each time they are read.

    They have the same keys in the same order; a value that a row lacks is None. Added are `pareto`, whether no other
    child beats it, `pareto_objectives` as `metric:direction`, and `override.KEY` for each key that the command line
    doesn't give the same value for all.

    Attributes:
        comparison: of the rows.
    """

    def __init__(self, rows: Collection[Mapping[str, Any]], objectives: Mapping[str, Direction] | None = None) -> None:
        """Looks at every row twice, and keeps none.

        Args:
            rows: as `Outcome.row` gives them, or as a summary holds them; what a summary has added is made anew. They
                are asked for again and again.
            objectives: of the search whose children they are, by column; None where nobody searched.
        """
        self._rows = rows
        self.comparison = Comparison(rows, objectives)
        self._front = front_of(rows, self.comparison.objectives)

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[Row]:
        columns, objectives = self.comparison.columns, self.comparison.objectives
        stated = [f"{metric}:{direction}" for metric, direction in objectives.items()]
        changed = [(key, CHANGED + key) for key in self.comparison.changed]
        for row in self._rows:
            values = overridden(row["overrides"])
            yield {
                **{column: row.get(column) for column in columns},
                "pareto": bool(objectives) and point_of(row, objectives) in self._front,
                "pareto_objectives": stated,
                **{column: values.get(key) for key, column in changed},
            }

    def __contains__(self, row: object) -> bool:
        return any(row == each for each in self)


def complete(rows: Iterable[Mapping[str, Any]], objectives: Mapping[str, Direction] | None = None) -> list[Row]:
    """The rows of a `Summary`, for rows of which there are few."""
    return list(Summary(list(rows), objectives))


def weighing(objectives: Mapping[str, str]) -> dict[str, Direction]:
    """The objectives of a search by the columns of a summary.

    Args:
        objectives: metrics by the names of their bounds, each with `minimize` or `maximize`.
    """
    return {
        _COLUMNS.get(metric, metric): "min" if direction == "minimize" else "max"
        for metric, direction in objectives.items()
    }


def front_of(rows: Iterable[Mapping[str, Any]], objectives: Mapping[str, Direction]) -> Front:
    """The Pareto front of the rows that are a choice: neither rejected nor failed; it holds their `point_of`.

    Args:
        rows: with `verdict` and the metrics.
        objectives: metrics and which way they get better.
    """
    found = Front(list(objectives.values()))
    for row in rows:
        found.add(point_of(row, objectives))
    return found


def point_of(row: Mapping[str, Any], objectives: Iterable[str]) -> list[float | None]:
    """The metrics of a row that a front weighs; nothing is known of a row that is no choice."""
    if row["verdict"] in {"rejected", "failed"}:
        return [None for _ in objectives]
    return [row.get(metric) for metric in objectives]


def overridden(overrides: Iterable[str]) -> dict[str, str]:
    """Keys and groups with the values that a command line gives them, as it spells them; the last one counts."""
    found = {}
    for override in overrides:
        key, _, value = override.partition("=")
        removes = key.startswith("~")
        found[key.lstrip("+~")] = REMOVED if removes else value
    return found


def as_csv(rows: Iterable[Mapping[str, Any]]) -> str:
    """Rows as CSV with a line of heads; the parts of a list are set apart by spaces."""
    return "".join(csv_lines(rows))


def csv_lines(rows: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """The lines of `as_csv`, one by one."""
    line = io.StringIO()
    writer = csv.writer(line)
    heads: list[str] | None = None
    for row in rows:
        if heads is None:
            heads = list(row)
            writer.writerow(heads)
        writer.writerow([_flat(row[head]) for head in heads])
        yield line.getvalue()
        line.seek(0)
        line.truncate()
    if heads is None:
        yield "number\r\n"


def json_lines(rows: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Rows as `digests.pretty_json` writes a list of them, one by one."""
    before = "["
    for row in rows:
        text = digests.pretty_json(row).rstrip("\n")
        yield f"{before}\n{text}".replace("\n", "\n  ")
        before = ","
    yield "[]\n" if before == "[" else "\n]\n"


def _flat(value: Any) -> Any:
    return " ".join(map(str, value)) if isinstance(value, list) else value


def _is_compared(column: str) -> bool:
    return column in COMPARED or column.startswith(CHANGED)
