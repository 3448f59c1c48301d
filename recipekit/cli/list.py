"""`recipekit list`: the project's recipes, and what every group offers. Reads YAML files only; Hydra isn't needed."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import yaml

from recipekit.cli.arguments import make_parser, project_of
from recipekit.compose.folders import group_options, recipe_files
from recipekit.compose.limits import LOADER, excess
from recipekit.registry import names


def main(argv: list[str]) -> int:
    """Prints recipes with their descriptions, options by group, and plugins by kind."""
    parser = make_parser(
        "list", "Name the project's recipes and what each group offers.", "recipekit list", overrides=False
    )
    parser.add_argument("--format", choices=["text", "json"], default="text", help="how to print the result")
    options = parser.parse_args(argv)
    project = project_of(options)
    recipes = {name: _description(path) for name, path in recipe_files(project).items()}
    groups = group_options(project)
    plugins = {kind: list(names(kind)) for kind in ("sources", "datasets", "metrics", "engines")}
    if options.format == "json":
        sys.stdout.write(json.dumps({"recipes": recipes, "groups": groups, "plugins": plugins}, indent=2) + "\n")
        return 0
    width = max(map(len, recipes), default=0)
    lines = ["recipes", *(f"  {name:<{width}}  {described}".rstrip() for name, described in recipes.items())]
    for title, offered in (("groups", groups), ("plugins", plugins)):
        lines += ["", title, *(f"  {name}: {', '.join(choices)}" for name, choices in offered.items())]
    sys.stdout.write("\n".join(lines) + "\n")
    return 0


def _description(path: Path) -> str:
    unreadable = "(can't be read: see recipekit validate)"
    try:
        text = path.read_text(encoding="utf-8-sig")
        if excess(text):
            return unreadable
        document = yaml.load(text, Loader=LOADER)  # noqa: S506  both are safe loaders
    except (yaml.YAMLError, UnicodeDecodeError, OSError):
        return unreadable
    described = document.get("description", "") if isinstance(document, dict) else ""
    return str(described)
