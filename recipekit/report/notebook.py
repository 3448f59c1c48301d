"""Results as a notebook shows them: a headline, facts and tables, in HTML for a cell and in Markdown elsewhere.

The fragment takes colours and fonts of the page that it stands in, light or dark; it holds no script and asks for
nothing. What a result says is decided by whoever makes the panel.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from recipekit.report.rendering import VERDICTS, bound, measured, templates


class Table(NamedTuple):
    """A table of a panel.

    Attributes:
        caption: what its rows are.
        heads: one a column; one that ends in `#` is a column of numbers.
        rows: cells in the order of the heads; a cell that is a verdict is shown in its colour.
    """

    caption: str
    heads: Sequence[str]
    rows: Sequence[Sequence[str]]


class Panel(NamedTuple):
    """What a notebook shows of one result.

    Attributes:
        title: what it is about.
        verdict: one of the words that verdicts are made of; empty for results without.
        facts: by name, in a few words.
        links: addresses by text.
        tables: below.
    """

    title: str
    verdict: str = ""
    facts: Mapping[str, str] = {}
    links: Mapping[str, str] = {}
    tables: Sequence[Table] = ()


def panel_html(panel: Panel) -> str:
    """The panel as a fragment of HTML."""
    html: str = templates().get_template("notebook.html").render(panel=panel)
    return html


def panel_markdown(panel: Panel) -> str:
    """The panel as Markdown; the bars and line ends of its texts are escaped."""
    words = f"{VERDICTS[panel.verdict][1]}: " if panel.verdict else ""
    facts = [f"- {name}: {_cell(value)}" for name, value in panel.facts.items()]
    links = [f"- [{text}](<{address}>)" for text, address in panel.links.items()]
    parts = [f"**{words}{_cell(panel.title)}**", "\n".join([*facts, *links]), *map(_markdown_table, panel.tables)]
    return "\n\n".join(filter(None, parts)) + "\n"


def check_rows(checks: Sequence[Mapping[str, Any]]) -> Table:
    """The table of a run's checks, as `results.json` holds them."""
    rows = [
        (check["name"], bound(check), measured(check["value"]), check["verdict"], check.get("detail", ""))
        for check in checks
    ]
    return Table("Checks", ("Check", "Bound#", "Value#", "Verdict", "Detail"), rows)


def _markdown_table(table: Table) -> str:
    heads = [head.rstrip("#") for head in table.heads]
    rule = ["---:" if head.endswith("#") else "---" for head in table.heads]
    lines = [heads, rule, *([VERDICTS.get(cell, ("", cell))[1] for cell in map(_cell, row)] for row in table.rows)]
    return "\n".join([f"{table.caption}:", "", *(f"| {' | '.join(line)} |" for line in lines)])


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())
