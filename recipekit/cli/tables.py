"""Calm tables: aligned columns, one rule below the heads, nothing else."""

from __future__ import annotations

import re
import sys
from typing import IO, Any, cast

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from recipekit.escaping import escaped_lines

_PIPED_WIDTH = 120


def data_console(*, stderr: bool = False) -> Console:
    """Standard output or error, as wide as the terminal.

    Where it is none it is wide enough for digests, and lines end where their text does: tables have blanks there.
    """
    console = Console(highlight=False, stderr=stderr)
    if console.is_terminal:
        return console
    return Console(highlight=False, stderr=stderr, width=_PIPED_WIDTH, file=cast("IO[str]", _Trimmed(stderr=stderr)))


class _Trimmed:
    """Standard output or error, whichever it is at the time, without blanks at the ends of lines."""

    def __init__(self, *, stderr: bool) -> None:
        self._name = "stderr" if stderr else "stdout"

    def write(self, text: str) -> int:
        """Writes whole lines."""
        stream: IO[str] = getattr(sys, self._name)
        return stream.write(re.sub(r"[ \t]+$", "", text, flags=re.MULTILINE))

    def __getattr__(self, name: str) -> Any:
        return getattr(getattr(sys, self._name), name)


class PlainTable(Table):
    """A table that shows text as it is: markup means nothing, and a stranger's file moves no cursor."""

    def add_row(self, *cells: Any, **options: Any) -> None:
        """Adds a row of strings, or of texts that have a style already."""
        super().add_row(*(Text(escaped_lines(cell)) if isinstance(cell, str) else cell for cell in cells), **options)


def plain_table(*columns: str, apart: bool = False) -> PlainTable:
    """An empty table.

    Args:
        columns: the heads; one that ends in `>` is a column of numbers, at the right and never folded, one that ends
            in `<` a column of names that are cut rather than folded.
        apart: whether an empty line sets it apart from the lines above and below.
    """
    table = PlainTable(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), show_edge=apart)
    for column in columns:
        if column.endswith("<"):
            table.add_column(column[:-1], overflow="ellipsis")
        elif column.endswith(">"):
            table.add_column(column[:-1], justify="right", no_wrap=True)
        else:
            table.add_column(column, overflow="fold")
    return table


def plain_grid(columns: int) -> PlainTable:
    """The same without heads and rules, for facts."""
    table = PlainTable(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    for _ in range(columns):
        table.add_column(overflow="fold")
    return table


def short_name(name: str) -> str:
    """The layer that an operator's name speaks of, without the scope of the whole model.

    The converter joins the names of operators that it fuses by `;`, each the scopes that it was made in and its own
    kind: of `m/conv_relu/Relu;m/conv_bn/norm/add;m/conv/convolution` it is `conv`, whose scope is the shortest.
    """
    scopes = [part.rpartition("/")[0] for part in name.split(";") if "/" in part]
    if not scopes:
        return name
    scope = min(scopes, key=len)
    return scope.partition("/")[2] or scope
