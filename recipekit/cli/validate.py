"""`recipekit validate`: composes and checks recipes; never starts a worker, never imports TensorFlow."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence

import msgspec

from recipekit.cli.arguments import make_parser, project_of
from recipekit.errors import UsageError
from recipekit.outcome import worst_exit_code
from recipekit.validation import Validation, validate_recipe, validate_recipes


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
    if options.all:
        results = validate_recipes(project, options.overrides)
    else:
        results = [validate_recipe(project, options.overrides)]
    if options.format == "json":
        sys.stdout.write(json.dumps(msgspec.to_builtins(results), indent=2) + "\n")
    else:
        _print(results)
    return worst_exit_code([result.exit_code for result in results])


def _print(results: Sequence[Validation]) -> None:
    for result in results:
        if result.error:
            sys.stderr.write(f"invalid {result.recipe}\nerror {result.id}: {result.error}\n")
        else:
            sys.stdout.write(f"valid   {result.recipe}\n")
        for warning in result.warnings:
            sys.stderr.write(f"warning {result.recipe}: {warning}\n")
