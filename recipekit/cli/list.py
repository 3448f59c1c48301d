"""`recipekit list`: the project's recipes, and what every group offers."""

from __future__ import annotations

import json
import shutil
import sys
import textwrap

import msgspec

from recipekit.catalogue import catalogue
from recipekit.cli.arguments import make_parser, project_of


def main(argv: list[str]) -> int:
    """Prints recipes with their descriptions, options by group, and plugins by kind."""
    parser = make_parser(
        "list", "Name the project's recipes and what each group offers.", "recipekit list", overrides=False
    )
    parser.add_argument("--format", choices=["text", "json"], default="text", help="how to print the result")
    options = parser.parse_args(argv)
    offered = catalogue(project_of(options))
    if options.format == "json":
        sys.stdout.write(json.dumps(msgspec.to_builtins(offered), indent=2) + "\n")
        return 0
    columns = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    width = max(map(len, offered.recipes), default=0)
    heads = {f"  {name:<{width}}  ": described for name, described in offered.recipes.items()}
    lines = ["recipes", *(_folded(head, described, columns) for head, described in heads.items())]
    for title, choices in (("groups", offered.groups), ("plugins", offered.plugins)):
        lines += ["", title, *(_folded(f"  {name}: ", ", ".join(values), columns) for name, values in choices.items())]
    sys.stdout.write("\n".join(lines) + "\n")
    return 0


def _folded(head: str, text: str, columns: int | None) -> str:
    """A line; on a terminal folded between words, what follows below the text. A pipe gets one line of each."""
    if columns is None or len(head) + len(text) <= columns:
        return f"{head}{text}".rstrip()
    longest = max(map(len, text.split()))
    indent = len(head) if len(head) + max(longest, columns // 2) <= columns else 4
    return textwrap.fill(
        text,
        columns,
        initial_indent=head,
        subsequent_indent=" " * indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
