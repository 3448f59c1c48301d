"""`recipekit validate`: composes and checks recipes; never starts a worker, never imports TensorFlow."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import TypedDict

from recipekit.cli.arguments import make_parser, project_of
from recipekit.compose.composition import compose, hydra_for, recipe_names
from recipekit.errors import RecipekitError, UsageError
from recipekit.outcome import worst_exit_code
from recipekit.project import Project
from recipekit.recipe import parse


def main(argv: list[str]) -> int:
    """Checks one recipe with its overrides, or every recipe of the project."""
    parser = make_parser("validate", "Check recipes without running them.", "recipekit validate recipe=mobilenet_int8")
    parser.add_argument("--all", action="store_true", help="every recipe of the project")
    parser.add_argument("--format", choices=["text", "json"], default="text", help="how to print the result")
    options = parser.parse_intermixed_args(argv)
    project = project_of(options)
    chosen = [override for override in options.overrides if override.startswith("recipe=")]
    if options.all == bool(chosen):
        raise UsageError("name one recipe or all of them", where="command line", fix="add recipe=NAME or --all")
    with hydra_for(project):
        if options.all:
            results = [_check(project, [f"recipe={name}", *options.overrides]) for name in recipe_names(project)]
        else:
            results = [_check(project, options.overrides)]
    if options.format == "json":
        sys.stdout.write(json.dumps(results, indent=2) + "\n")
    else:
        _print(results)
    return worst_exit_code([result["exit_code"] for result in results])


class Result(TypedDict):
    """What was found of one recipe."""

    recipe: str
    exit_code: int
    id: str | None
    error: str | None
    warnings: list[str]


def _check(project: Project, overrides: Sequence[str]) -> Result:
    name = next(override for override in overrides if override.startswith("recipe=")).partition("=")[2]
    try:
        composition = compose(project, overrides)
        recipe = parse(composition.mapping, project.root, composition.origin)
    except RecipekitError as error:
        return {"recipe": name, "exit_code": error.exit_code, "id": error.id, "error": str(error), "warnings": []}
    return {"recipe": name, "exit_code": 0, "id": None, "error": None, "warnings": list(recipe.warnings)}


def _print(results: list[Result]) -> None:
    for result in results:
        if result["error"]:
            sys.stderr.write(f"invalid {result['recipe']}\nerror {result['id']}: {result['error']}\n")
        else:
            sys.stdout.write(f"valid   {result['recipe']}\n")
        for warning in result["warnings"]:
            sys.stderr.write(f"warning {result['recipe']}: {warning}\n")
