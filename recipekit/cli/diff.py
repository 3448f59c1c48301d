"""`recipekit diff`: what is different between two recipes, outputs or `.tflite` files; it never imports TensorFlow."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from recipekit.audit.changes import Change
from recipekit.audit.difference import Compared, Difference, compare
from recipekit.audit.sides import side_of
from recipekit.cli.arguments import any_project_of, make_parser
from recipekit.cli.model_page import shape_text
from recipekit.cli.tables import data_console, plain_grid, plain_table, short_name
from recipekit.pool import Limits, Pool

DIFFERENT = 6
"""Exit code for `--exit-code`: that of every comparison that isn't equal."""

_SHOWN = 8
_LONGEST = 60
_ROOM_FOR_ORIGINS = 100
"""Columns of a terminal that shows where values are set, and names in one line."""
_CLASSES = {
    "inputs": "inputs: what decides the bytes",
    "model": "model: what the file became",
    "results": "results: what was measured",
}
_SCOPED = {"dtypes", "quantization", "weights", "layer sizes"}
"""Groups whose names are those of operators and tensors, with the scopes that they were made in."""


def main(argv: list[str]) -> int:
    """Prints all that is different, class by class, the largest first."""
    parser = make_parser(
        "diff",
        "Compare two recipes, outputs or .tflite files; docs/inspect.md explains what is compared.",
        "recipekit diff mobilenet_int8 mobilenet_int16x8",
        overrides=False,
    )
    parser.add_argument("a", metavar="A", help="a recipe, the folder of an output, or a .tflite file")
    parser.add_argument("b", metavar="B", help="another one")
    parser.add_argument("--all", action="store_true", help="every change, not only the largest of each group")
    parser.add_argument("--exit-code", action="store_true", help=f"end with {DIFFERENT} where anything is different")
    parser.add_argument("--format", choices=["text", "json"], default="text", help="how to print the result")
    options = parser.parse_args(argv)
    project = any_project_of(options)
    with Pool(Limits.of(project)) as pool:
        difference = compare(side_of(options.a, project, pool), side_of(options.b, project, pool))
    if options.format == "json":
        sys.stdout.write(msgspec.json.encode(difference).decode() + "\n")
    else:
        _print(data_console(), difference, None if options.all else _SHOWN)
    return DIFFERENT if options.exit_code and difference.found else 0


def _print(console: Console, difference: Difference, shown: int | None) -> None:
    console.print(_heads(difference.a, difference.b))
    if not difference.found:
        console.print("no difference")
    for name, title in _CLASSES.items():
        changes: tuple[Change, ...] | None = getattr(difference, name)
        if changes == () and difference.found:
            console.print(Text.assemble("\n", (title, "bold"), " (no difference)"))
        if changes:
            console.print(Text.assemble("\n", (title, "bold"), f" ({len(changes)})"))
            console.print(_table(changes, shown, console.width))


def _heads(a: Compared, b: Compared) -> Table:
    table = plain_grid(4)
    for letter, side in (("a", a), ("b", b)):
        key = f"build key {side.build_key[:12]}" if side.build_key else ""
        table.add_row(Text(letter, style="bold"), side.kind, side.name, key)
    return table


def _table(changes: Sequence[Change], shown: int | None, width: int) -> Table:
    """A row a change; where there is no room for the places in which values are set, what was set is what matters."""
    origins = any(change.a_origin or change.b_origin for change in changes)
    notes = () if origins and width < _ROOM_FOR_ORIGINS else ("set in<" if origins else "change",)
    table = plain_table("", "a", "b", *notes)
    wide = width >= _ROOM_FOR_ORIGINS
    table.columns[0].no_wrap = wide
    table.columns[-1].no_wrap = wide and origins
    for group, members in groupby(changes, key=lambda change: change.group):
        listed = list(members)
        table.add_row(Text(group, style="cyan"))
        for change in listed[:shown]:
            name = short_name(change.name) if group in _SCOPED else change.name
            note = _origins(change) or _distance(change.a, change.b)
            table.add_row(f"  {name}", *_values(change), *([note] if notes else []))
        rest = len(listed) - len(listed[:shown])
        if rest:
            table.add_row(f"  {rest} more (--all)")
    return table


def _origins(change: Change) -> str:
    if change.a_origin == change.b_origin:
        return change.a_origin
    return "\n→ ".join(origin or "-" for origin in (change.a_origin, change.b_origin))


def _distance(a: Any, b: Any) -> str:
    """How far two numbers are apart; nothing for other things."""
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        a, b = a.get("value"), b.get("value")
    if a == b or not all(isinstance(it, int | float) and not isinstance(it, bool) for it in (a, b)):
        return ""
    share = f" ({(b - a) / abs(a):+.1%})" if a else ""
    return f"{b - a:+,}{share}" if isinstance(b - a, int) else f"{b - a:+.4g}{share}"


def _values(change: Change) -> Iterator[str]:
    """Both values; of two mappings only what they don't share, of two lists what only one has."""
    a, b = change.a, change.b
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        same = {key for key in a.keys() & b.keys() if a[key] == b[key]}
        a, b = ({key: value for key, value in it.items() if key not in same} for it in (a, b))
    if isinstance(a, list) and isinstance(b, list):
        a, b = ([it for it in one if it not in other] for one, other in ((a, b), (b, a)))
    one_sided = change.a is None or change.b is None
    for value, there in ((a, change.a is not None), (b, change.b is not None)):
        shown = _identity(value) if one_sided else _shown(value)
        yield shown if there else "-"


def _identity(value: Any) -> str:
    """What only one side has: of a dependency its version, or else its digest; anything else whole."""
    if isinstance(value, Mapping):
        value = next((value[key] for key in ("version", "sha256", "dirHash1", "gitCommit") if key in value), value)
    return _shown(value)


def _shown(value: Any) -> str:
    """A value in a cell."""
    if isinstance(value, Mapping):
        measured = "value" in value
        parts = (f"{key} {shape_text(item) if key == 'shape' else _shown(item)}" for key, item in value.items())
        return _measured(value) if measured else ", ".join(parts) or "none"
    if isinstance(value, list | tuple):
        return _range(value) if _is_range(value) else ", ".join(map(_shown, value)) or "none"
    if isinstance(value, int | float) and not isinstance(value, bool):
        return f"{value:,}" if isinstance(value, int) else f"{value:.6g}"
    return _text(value if isinstance(value, str) else json.dumps(value))


def _text(text: str) -> str:
    """Text, cut where it is long; of a digest the first twelve digits."""
    if len(text) in {40, 64} and set(text) <= set("0123456789abcdef"):
        return text[:12]
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."


def _is_range(value: Sequence[Any]) -> bool:
    return len(value) == 2 and all(isinstance(end, float) for end in value)


def _range(value: Sequence[float]) -> str:
    low, high = map(_shown, value)
    return low if low == high else f"{low} to {high}"


def _measured(number: Mapping[str, Any]) -> str:
    """A measured number with its interval; of a check also its limit and its verdict."""
    interval = number.get("interval")
    ends = f" ({interval[0]:.4g} to {interval[1]:.4g})" if interval else ""
    limit = f", limit {_shown(number['limit'])}" if number.get("limit") is not None else ""
    verdict = f", {number['verdict']}" if "verdict" in number else ""
    return f"{_shown(number['value'])}{ends}{limit}{verdict}"
