"""A summary as one HTML page that opens anywhere: a table to sort and filter, and plots of what one trades for another.

The page holds the rows as one block of JSON, the scripts that draw them, and plotly, and asks for nothing. Without
scripts its first rows and the fronts are plain tables. What the rows say is said elsewhere.
"""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from importlib.metadata import distribution
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from recipekit.contracts import EXACT_SQNR_DB
from recipekit.report.rendering import VERDICTS, templates
from recipekit.report.sweep_columns import ABSENT, EXACT, ON_FRONT, Column, cell, changes, columns, text
from recipekit.studied import Studied
from recipekit.summary import in_common, on_front, pareto_objectives

if TYPE_CHECKING:
    import markupsafe

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


def render_sweep(
    rows: Iterable[Mapping[str, Any]],
    heading: str = "Sweep",
    *,
    table: str = "summary.csv",
    study: Studied | None = None,
) -> str:
    """The page of a sweep, or of any outputs that are to be compared.

    Args:
        rows: as `summary.complete` gives them, with `output` as the page sees it, a POSIX path; what a row lacks is not
            shown.
        heading: the page's.
        table: where all rows lie as CSV, as the page sees it; empty for nowhere.
        study: what a search has found; None for a sweep that didn't search.

    Raises:
        KeyError: a row lacks its number, verdict or overrides.
    """
    children = list(rows)
    shown = columns(children)
    known = {column.key: column for column in shown}
    weighed = [known[metric] for metric in pareto_objectives(children)]
    plots = list(_plots(children, shown, weighed))
    scripts = [_script("sweep_table.js"), *([_script("sweep_plots.js")] if plots else ())]
    library = _plotly() if plots else ""
    counts = Counter(child["verdict"] for child in children)
    return (
        templates()
        .get_template("sweep.html")
        .render(
            heading=heading,
            count=len(children),
            counts=[(verdict, counts[verdict]) for verdict in _ORDER if counts[verdict]],
            common=in_common(children),
            columns=shown,
            rows=[[_cell(column, child) for column in shown] for child in children[:STATIC_ROWS]],
            table=table,
            study=study,
            best=list(_best_trials(study, children, known)) if study else [],
            plots=plots,
            weighed=weighed,
            metrics=[column for column in shown if column.better],
            data=_data(children, shown),
            scripts=scripts,
            library=library,
            policy=" ".join(f"'{_digest(script)}'" for script in (*scripts, library) if script),
        )
    )


def _best_trials(
    study: Studied, children: Sequence[Mapping[str, Any]], known: Mapping[str, Column]
) -> Iterator[tuple[Cell, ...]]:
    """Of each of the best trials who it is, its values, and what was tried; other sweeps' trials lead nowhere."""
    reports = {child["build_key"]: cell(known["output"], child) for child in children if child.get("build_key")}
    for trial in study.best_trials()[:STATIC_FRONT]:
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


def _plots(children: Sequence[Mapping[str, Any]], shown: Sequence[Column], weighed: Sequence[Column]) -> Iterator[Plot]:
    """Each two of the metrics that the front of the summary weighs, where two children have both."""
    for x, y in sorted(combinations(weighed, 2), key=lambda pair: pair[1] is not weighed[-1]):
        if sum(child[x.key] is not None and child[y.key] is not None for child in children) > 1:
            objectives = {column.key: column.better for column in (x, y) if column.better}
            are_best = zip(children, on_front(children, objectives), strict=True)
            best = sorted((child for child, is_best in are_best if is_best), key=lambda child: float(child[x.key]))
            cells = [_best_cells(x, y, shown, child) for child in best[:STATIC_FRONT]]
            yield Plot(x, y, cells, len(best) - len(cells))


def _best_cells(x: Column, y: Column, shown: Sequence[Column], child: Mapping[str, Any]) -> tuple[Cell, ...]:
    report = next((cell(column, child) for column in shown if column.kind == "link"), None)
    return (
        Cell(f"Child {child['number']}", link=report),
        _cell(x, child),
        _cell(y, child),
        Cell(changes(shown, child) or ABSENT),
    )


def _data(children: Sequence[Mapping[str, Any]], shown: Sequence[Column]) -> markupsafe.Markup:
    """All rows and how to read them, as JSON that no script element ends in."""
    document = {
        "columns": [column._asdict() for column in shown],
        "rows": [[cell(column, child) for column in shown] for child in children],
        "verdicts": {verdict: VERDICTS[verdict] for verdict in _ORDER},
        "words": {"absent": ABSENT, "exact": EXACT, "front": ON_FRONT},
        "exactDecibels": EXACT_SQNR_DB,
        "frontRows": STATIC_FRONT,
    }
    encoded = msgspec.json.encode(document).decode()
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
