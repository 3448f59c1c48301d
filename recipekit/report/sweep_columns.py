"""Which columns the table of a sweep has and how their values read: what differs, what was measured, what became of it.

A column that says nothing about any child is left out. It knows rows, and nothing of HTML.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple
from urllib.parse import quote, unquote

from recipekit.contracts import EXACT_SQNR_DB
from recipekit.pareto import Direction
from recipekit.summary import CHANGED, TASK

ABSENT = "—"
ON_FRONT = "◆ yes"
EXACT = "exact"

_LATENCY = "latency_p50_ms"

Kind = Literal["child", "number", "decibels", "setting", "verdict", "front", "list", "text", "link"]


class Column(NamedTuple):
    """One column.

    Attributes:
        key: of the values in a row.
        label: its head.
        kind: how a value reads: the number of a `child`, a `number` with its decimals, `decibels`, a `setting` as the
            command line or the recipe spells it, a `verdict`, membership of the `front`, a `list` of names, `text`, or
            the `link` to a report.
        numeric: whether it is aligned and sorted by numbers.
        decimals: digits behind the point.
        better: which way a metric gets better; None for what is none.
    """

    key: str
    label: str
    kind: Kind
    numeric: bool = False
    decimals: int = 0
    better: Direction | None = None


def columns(rows: Iterable[Mapping[str, Any]], directions: Mapping[str, Direction]) -> list[Column]:
    """The columns that say something about the rows, in the order in which a reader asks.

    Args:
        rows: all of them; each is looked at once.
        directions: which way the metrics get better that there are.
    """
    told = _Told(rows)
    found = [Column("number", "Child", "child", numeric=True)]
    found += [Column(key, key, "setting") for key in ("recipe", "name", "version") if told.differs(key)]
    for key in told.keys:
        if key.startswith(CHANGED):
            found.append(Column(key, key.removeprefix(CHANGED), "setting", numeric=key not in told.worded))
    found += [Column("verdict", "Verdict", "verdict"), Column("pareto", "Pareto front", "front")]
    for key, (label, kind, decimals) in _MEASURED.items():
        if key == TASK:
            found += _scores(told, directions)
        else:
            least = _decimals_of_smallest(told.smallest.get(key, 1.0)) if key == _LATENCY else 0
            shown = max(decimals, least)
            found.append(Column(key, label, kind, numeric=True, decimals=shown, better=directions.get(key)))
    found += _others(told, directions)
    found += [Column("failed_checks", "Failed checks", "list"), Column("error", "Error", "text")]
    found += [Column("seconds", "Seconds", "number", numeric=True, decimals=2, better=directions.get("seconds"))]
    found += [Column("output", "Report", "link")]
    return [column for column in found if told.keys.get(column.key)]


def cell(column: Column, row: Mapping[str, Any]) -> Any:
    """A row's value in a column; of a link, the address of the report of the output in the row."""
    value = row.get(column.key)
    if column.kind == "link":
        return quote(f"{value}/report.html") if value else None
    return value if _says(value) else None


def text(column: Column, value: Any) -> str:
    """A cell as it reads."""
    if value is None:
        return ABSENT
    if column.kind == "decibels" and value >= EXACT_SQNR_DB:
        return EXACT
    if column.kind in {"number", "decibels"}:
        return f"{value:,.{column.decimals}f}"
    if column.kind == "front":
        return ON_FRONT
    if column.kind == "link":  # an output's folder is named by the beginning of its build key
        return unquote(str(value)).split("/")[-2]
    return ", ".join(value) if column.kind == "list" else str(value)


def changes(shown: Sequence[Column], row: Mapping[str, Any]) -> str:
    """What a child has that not every other one has, in a line."""
    said = [(column.label, cell(column, row)) for column in shown if column.kind == "setting"]
    return ", ".join(f"{label}={value}" for label, value in said if value is not None)


_MEASURED: dict[str, tuple[str, Kind, int]] = {
    "size": ("Size, bytes", "number", 0),
    "ratio": ("Size ratio", "number", 3),
    TASK: ("", "number", 0),
    "sqnr_db": ("Worst SQNR, dB", "decibels", 2),
    "argmax_agreement": ("Same argmax", "number", 4),
    _LATENCY: ("Latency p50, ms", "number", 3),
}


def _says(value: Any) -> bool:
    return value is not None and value is not False and value not in ("", [])


class _Told:
    """What rows say in their columns.

    Attributes:
        keys: of the columns, in their order, with whether one says anything.
        worded: columns of overrides of which a value isn't a number.
        largest: the largest magnitude in each column of numbers.
        smallest: the smallest one that isn't nought.
    """

    def __init__(self, rows: Iterable[Mapping[str, Any]]) -> None:
        self.keys: dict[str, bool] = {}
        self.worded: set[str] = set()
        self.largest: dict[str, float] = {}
        self.smallest: dict[str, float] = {}
        self._names: dict[str, set[str]] = {"recipe": set(), "name": set(), "version": set()}
        self._goes_by_recipe = True
        for row in rows:
            for key, value in row.items():
                self.keys[key] = self.keys.get(key, False) or _says(value)
                if value is None or isinstance(value, bool):
                    continue
                if key.startswith(CHANGED) and not _is_number(value):
                    self.worded.add(key)
                elif isinstance(value, int | float):
                    self.largest[key] = max(self.largest.get(key, 0.0), abs(value))
                    self.smallest[key] = min(self.smallest.get(key, math.inf), abs(value) or math.inf)
            for key, names in self._names.items():
                if len(names) < 2 and row.get(key):
                    names.add(row[key])
            self._goes_by_recipe &= row.get("name") == row.get("recipe")

    def differs(self, key: str) -> bool:
        """Whether the rows have different names of a kind, and not just the recipe's once more."""
        return len(self._names[key]) > 1 and not (key == "name" and self._goes_by_recipe)


def _is_number(spelled: str) -> bool:
    try:
        return math.isfinite(float(spelled))
    except ValueError:
        return False


def _scores(told: _Told, directions: Mapping[str, Direction]) -> Iterator[Column]:
    for key, better in directions.items():
        if key.startswith(TASK):
            label = key.removeprefix(TASK)
            label = f"{label.removesuffix('.drop')} drop" if label.endswith(".drop") else label
            decimals = _decimals(told.largest.get(key, 0.0))
            yield Column(key, label, "number", numeric=True, decimals=decimals, better=better)


def _others(told: _Told, directions: Mapping[str, Direction]) -> Iterator[Column]:
    """Metrics that only a search of them has a column for."""
    for key, better in directions.items():
        if key not in _MEASURED and not key.startswith(TASK) and key != "seconds":
            decimals = _decimals(told.largest.get(key, 0.0))
            yield Column(key, key, "number", numeric=True, decimals=decimals, better=better)


def _decimals(largest: float) -> int:
    """Decimals that show five digits of the largest value of a column, and of small ones four."""
    whole = math.floor(math.log10(largest)) + 1 if largest else 1
    return max(0, 5 - whole) if whole > 0 else min(15, 4 - min(0, whole + 1))


def _decimals_of_smallest(value: float) -> int:
    """Decimals that show three digits of a value."""
    return min(9, 2 - math.floor(math.log10(value))) if math.isfinite(value) else 0
