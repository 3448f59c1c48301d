"""`recipekit list`: the project's recipes, and what every group offers."""

from __future__ import annotations

import json
import sys

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
    width = max(map(len, offered.recipes), default=0)
    lines = ["recipes", *(f"  {name:<{width}}  {described}".rstrip() for name, described in offered.recipes.items())]
    for title, choices in (("groups", offered.groups), ("plugins", offered.plugins)):
        lines += ["", title, *(f"  {name}: {', '.join(values)}" for name, values in choices.items())]
    sys.stdout.write("\n".join(lines) + "\n")
    return 0
