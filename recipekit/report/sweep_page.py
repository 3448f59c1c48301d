"""A summary as one HTML page that opens anywhere: a table to sort and filter, and plots of what one trades for another.

The page holds the rows as one block of JSON, the scripts that draw them, and plotly, and asks for nothing. Without
scripts its first rows and the fronts are plain tables. What the rows say is said elsewhere. It is written part by part,
since a sweep may have more rows than memory should hold.
"""

from __future__ import annotations

import base64
import hashlib
import math
from bisect import insort
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import cache
from importlib.metadata import distribution
from itertools import combinations, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from recipekit.contracts import EXACT_SQNR_DB
from recipekit.pareto import Front
from recipekit.report.rendering import VERDICTS, templates
from recipekit.report.sweep_columns import ABSENT, EXACT, ON_FRONT, Column, cell, changes, columns, text
from recipekit.studied import Studied
from recipekit.summary import SUMMARY_TABLE, Comparison, Summary, point_of

if TYPE_CHECKING:
    import markupsafe

MOST_ROWS = 20_000
"""Rows that a page holds, some hundred bytes each; of a larger sweep it holds some of them."""

STATIC_ROWS = 200
"""Rows that stand in the page itself; a script draws the others."""

STATIC_FRONT = 20
"""Children that the table of a front shows."""

_ORDER = ("accepted", "not-judged", "rejected", "failed")


class Cell(NamedTuple):
    """A cell of a table: what it reads, the classes of its style, and where it leads, if anywhere."""

    text: str
    style: str = ""
    link: str | None = None


class Plot(NamedTuple):
    """Two metrics against each other.

    Attributes:
        x: the column along the bottom.
        y: the column up the side.
        best: the children on their front, from the least x on: who it is, both values, what differs.
        more: how many others are on it.
    """

    x: Column
    y: Column
    best: list[tuple[Cell, ...]]
    more: int


def sweep_page(
    rows: Collection[Mapping[str, Any]],
    heading: str = "Sweep",
    *,
    table: str = SUMMARY_TABLE,
    study: Studied | None = None,
    most: int = MOST_ROWS,
) -> Iterator[str]:
    """The page of a sweep, or of any outputs that are to be compared, part by part.

    Args:
        rows: as a `Summary` gives them, with `output` as the page sees it, a POSIX path; what a row lacks is not shown.
            They are asked for several times, and none is kept.
        heading: the page's.
        table: where all rows lie as CSV, as the page sees it; empty for nowhere.
        study: what a search has found; None for a sweep that didn't search.
        most: rows that the page holds; of more of them it holds some, evenly chosen, and those on the fronts that it
            shows, and says so.

    Raises:
        KeyError: a row lacks its number, verdict or overrides.
    """
    compared = rows.comparison if isinstance(rows, Summary) else Comparison(rows)
    shown = columns(rows, compared.directions)
    known = {column.key: column for column in shown}
    weighed = [known[metric] for metric in compared.objectives if metric in known]
    pairs = _pairs(rows, weighed)
    plots = [pair.plot(shown) for pair in pairs]
    scripts = [_script("sweep_table.js"), *([_script("sweep_plots.js")] if plots else ())]
    library = _plotly() if plots else ""
    counts = Counter(row["verdict"] for row in rows)
    step = max(1, math.ceil(len(rows) / most))
    held = {*range(0, len(rows), step), *(place for pair in pairs for _, place, _ in pair.first)}
    yield from (
        templates()
        .get_template("sweep.html")
        .generate(
            heading=heading,
            count=len(rows),
            held=len(held),
            counts=[(verdict, counts[verdict]) for verdict in _ORDER if counts[verdict]],
            common=compared.in_common,
            columns=shown,
            rows=[[_cell(column, row) for column in shown] for row in islice(rows, STATIC_ROWS)],
            table=table,
            study=study,
            best=list(_best_trials(study, rows, known)) if study else [],
            plots=plots,
            weighed=weighed,
            metrics=[column for column in shown if column.better],
            data=_data((row for place, row in enumerate(rows) if place in held), shown),
            scripts=scripts,
            library=library,
            policy=" ".join(f"'{_digest(script)}'" for script in (*scripts, library) if script),
        )
    )


def _best_trials(
    study: Studied, rows: Iterable[Mapping[str, Any]], known: Mapping[str, Column]
) -> Iterator[tuple[Cell, ...]]:
    """Of each of the best trials who it is, its values, and what was tried; other sweeps' trials lead nowhere."""
    best = study.best_trials()[:STATIC_FRONT]
    keys = {trial.build_key for trial in best}
    reports = {row["build_key"]: cell(known["output"], row) for row in rows if row.get("build_key") in keys}
    for trial in best:
        yield (
            Cell(f"Trial {trial.number}", link=reports.get(trial.build_key)),
            *(Cell(_plain(trial.values[metric]), "number") for metric in study.objectives),
            Cell(", ".join(f"{key}={value}" for key, value in trial.parameters.items())),
        )


def _plain(value: float) -> str:
    return f"{value:,.0f}" if value % 1 == 0 else f"{value:.5g}"


def _cell(column: Column, child: Mapping[str, Any]) -> Cell:
    value = cell(column, child)
    if column.kind == "verdict":
        colour, words = VERDICTS[value]
        return Cell(words, f"verdict {colour}")
    if column.kind == "link" and value:
        return Cell(text(column, value), link=value)
    return Cell(text(column, value), "number" if column.numeric else column.kind)


def _pairs(rows: Collection[Mapping[str, Any]], weighed: Sequence[Column]) -> list[_Pair]:
    """Each two of the metrics that the front of the summary weighs, where two children have both, with their front."""
    pairs = [_Pair(x, y) for x, y in sorted(combinations(weighed, 2), key=lambda pair: pair[1] is not weighed[-1])]
    for row in rows:
        for pair in pairs:
            pair.weigh(row)
    pairs = [pair for pair in pairs if pair.weighed > 1]
    for place, row in enumerate(rows):
        for pair in pairs:
            pair.choose(place, row)
    return pairs


class _Pair:
    """Two metrics whose front is looked for: at first every row is weighed, then those on the front are chosen.

    Attributes:
        x: one metric.
        y: the other one.
        weighed: rows that have both.
        best: rows on the front.
        first: those of them with the least of `x`, as many as a page shows, each behind that value and its place.
    """

    def __init__(self, x: Column, y: Column) -> None:
        self.x, self.y = x, y
        self.weighed = self.best = 0
        self.first: list[tuple[float, int, Mapping[str, Any]]] = []
        self._objectives = {column.key: column.better for column in (x, y) if column.better}
        self._front = Front(list(self._objectives.values()))

    def weigh(self, row: Mapping[str, Any]) -> None:
        """Looks at one of all rows."""
        self.weighed += row[self.x.key] is not None and row[self.y.key] is not None
        self._front.add(point_of(row, self._objectives))

    def choose(self, place: int, row: Mapping[str, Any]) -> None:
        """Looks at one of them again, once all have been weighed."""
        if point_of(row, self._objectives) in self._front:
            self.best += 1
            insort(self.first, (float(row[self.x.key]), place, row))
            del self.first[STATIC_FRONT:]

    def plot(self, shown: Sequence[Column]) -> Plot:
        """The two as they are drawn, once every row has been looked at twice."""
        cells = [_best_cells(self.x, self.y, shown, row) for _, _, row in self.first]
        return Plot(self.x, self.y, cells, self.best - len(cells))


def _best_cells(x: Column, y: Column, shown: Sequence[Column], child: Mapping[str, Any]) -> tuple[Cell, ...]:
    report = next((cell(column, child) for column in shown if column.kind == "link"), None)
    return (
        Cell(f"Child {child['number']}", link=report),
        _cell(x, child),
        _cell(y, child),
        Cell(changes(shown, child) or ABSENT),
    )


def _data(rows: Iterable[Mapping[str, Any]], shown: Sequence[Column]) -> Iterator[markupsafe.Markup]:
    """Rows and how to read them, as JSON that no script element ends in, part by part."""
    document = {
        "columns": [column._asdict() for column in shown],
        "verdicts": {verdict: VERDICTS[verdict] for verdict in _ORDER},
        "words": {"absent": ABSENT, "exact": EXACT, "front": ON_FRONT},
        "exactDecibels": EXACT_SQNR_DB,
        "frontRows": STATIC_FRONT,
    }
    yield _encoded(document, end=-1)
    before = ',"rows":['
    for row in rows:
        yield _markup(before) + _encoded([cell(column, row) for column in shown])
        before = ","
    yield _markup("]}" if before == "," else f"{before}]}}")


def _encoded(value: Any, end: int | None = None) -> markupsafe.Markup:
    encoded = msgspec.json.encode(value).decode()[:end]
    for sign in "<>&":
        encoded = encoded.replace(sign, f"\\u{ord(sign):04x}")
    return _markup(encoded)


@cache
def _script(name: str) -> markupsafe.Markup:
    return _markup((Path(__file__).parent / "templates" / name).read_text(encoding="utf-8"))


def _plotly() -> markupsafe.Markup:
    """The script that draws plots; the package, which brings it along, takes a while to import and isn't needed."""
    path = distribution("plotly").locate_file("plotly/package_data/plotly.min.js")
    return _markup(Path(str(path)).read_text(encoding="utf-8"))


def _markup(text: str) -> markupsafe.Markup:
    import markupsafe  # noqa: PLC0415  a run that finds its output renders nothing

    return markupsafe.Markup(text)  # noqa: S704  JSON and scripts of our own


def _digest(script: str) -> str:
    """What a content security policy knows a script by."""
    return f"sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}"
