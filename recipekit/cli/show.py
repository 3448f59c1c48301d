"""`recipekit show`: a composed recipe with the file and line, or the override, behind every value."""

from __future__ import annotations

import json
import sys

from recipekit.cli.arguments import make_parser, project_of
from recipekit.compose.composition import compose
from recipekit.origins import settings
from recipekit.recipe import parse


def main(argv: list[str]) -> int:
    """Prints one recipe, composed, checked and complete with defaults."""
    parser = make_parser(
        "show", "Print a composed recipe and where each value was set.", "recipekit show recipe=mobilenet_int8"
    )
    parser.add_argument("--format", choices=["text", "json"], default="text", help="how to print the result")
    options = parser.parse_intermixed_args(argv)
    project = project_of(options)
    composition = compose(project, options.overrides)
    rows = settings(composition, parse(composition.mapping, project.root, composition.origin))
    if options.format == "json":
        shown = [{"path": list(path), "value": value, "origin": origin} for path, value, origin in rows]
        sys.stdout.write(json.dumps(shown, indent=2) + "\n")
        return 0
    lines = [f"{'.'.join(map(str, path))}: {json.dumps(value, ensure_ascii=False)}" for path, value, _ in rows]
    width = max(map(len, lines))
    for line, (_, _, origin) in zip(lines, rows, strict=True):
        sys.stdout.write(f"{line:<{min(width, 72)}}  # {origin}\n")
    return 0
