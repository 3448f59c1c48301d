"""`recipekit explain`: what an error id means, its usual causes and the way out; without an id, all of them."""

from __future__ import annotations

import json
import sys
from typing import TypedDict

from recipekit.cli.arguments import Parser
from recipekit.error_pages import error_ids, page, title
from recipekit.errors import UsageError, by_id
from recipekit.nearest import did_you_mean


class Explanation(TypedDict):
    """An error as `--format json` tells it."""

    id: str
    name: str
    exit_code: int
    title: str
    text: str


def main(argv: list[str]) -> int:
    """Prints the page of one error, or a line for each."""
    parser = Parser(
        prog="recipekit explain",
        description="Say what an error id means, what usually causes it and how to fix it; without an id, list all.",
        epilog="example: recipekit explain RK304",
        allow_abbrev=False,
    )
    parser.add_argument("id", nargs="?", metavar="ID", help="the id of an error, such as RK304")
    parser.add_argument("--format", choices=["text", "json"], default="text", help="how to print the result")
    options = parser.parse_args(argv)
    if options.id is None:
        _list(options.format)
        return 0
    error_id = _known(options.id)
    if options.format == "json":
        sys.stdout.write(json.dumps(_explanation(error_id), indent=2) + "\n")
    elif sys.stdout.isatty():
        _render(page(error_id))
    else:
        sys.stdout.write(page(error_id))
    return 0


def _list(form: str) -> None:
    if form == "json":
        sys.stdout.write(json.dumps([_explanation(error_id) for error_id in error_ids()], indent=2) + "\n")
    else:
        sys.stdout.write("".join(f"{error_id}  {title(error_id)}\n" for error_id in error_ids()))


def _known(typed: str) -> str:
    """The id that is meant: `rk304` and `304` are RK304, too."""
    wanted = typed.upper()
    wanted = f"RK{wanted}" if wanted.isdigit() else wanted
    if wanted not in error_ids():
        raise UsageError(
            f"there is no error '{typed}'{did_you_mean(wanted, error_ids())}",
            where="command line",
            fix="see all of them: recipekit explain",
        )
    return wanted


def _explanation(error_id: str) -> Explanation:
    cls = by_id()[error_id]
    return {
        "id": error_id,
        "name": cls.__name__,
        "exit_code": cls.exit_code,
        "title": title(error_id),
        "text": page(error_id),
    }


def _render(text: str) -> None:
    from rich.console import Console  # noqa: PLC0415  a pipe needs none of it
    from rich.markdown import Markdown  # noqa: PLC0415

    Console().print(Markdown(text))
