"""`recipekit validate`: composes and checks recipes; never starts a worker, never imports TensorFlow."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from typing import TypedDict

from recipekit.cli.arguments import make_parser, project_of
from recipekit.cli.messages import more
from recipekit.compose.composition import Composition, compose
from recipekit.compose.folders import recipe_files
from recipekit.compose.grid import children
from recipekit.compose.session import hydra_for
from recipekit.errors import RecipekitError, UsageError
from recipekit.nearest import did_you_mean
from recipekit.outcome import worst_exit_code
from recipekit.project import Project
from recipekit.recipe import parse
from recipekit.secrecy import redacted


def main(argv: list[str]) -> int:
    """Checks one recipe with its overrides, or every recipe of the project."""
    parser = make_parser("validate", "Check recipes without running them.", "recipekit validate recipe=mobilenet_int8")
    parser.add_argument("--all", action="store_true", help="every recipe of the project")
    parser.add_argument("--format", choices=["text", "json"], default="text", help="how to print the result")
    options = parser.parse_intermixed_args(argv)
    project = project_of(options)
    chosen = [override for override in options.overrides if override.startswith("recipe=")]
    if options.all == bool(chosen):
        near = next(filter(None, (did_you_mean(it.partition("=")[0], ["recipe"]) for it in options.overrides)), "")
        hint = near if not chosen else ""
        raise UsageError(f"name one recipe or all of them{hint}", where="command line", fix="add recipe=NAME or --all")
    with hydra_for(project):
        if options.all:
            results = [check(project, [f"recipe={name}", *options.overrides]) for name in recipe_files(project)]
        else:
            results = [check(project, options.overrides)]
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


def check(project: Project, overrides: Sequence[str]) -> Result:
    """Composes and checks one recipe, every child of it where it is a sweep; Hydra must be ready for the project.

    Args:
        project: the recipe's.
        overrides: of the command line, `recipe=NAME` among them.
    """
    name = next(override for override in overrides if override.startswith("recipe=")).partition("=")[2]
    try:
        composition = compose(project, overrides)
        grid = children(project, overrides, any_launcher=True) if composition.sweeps else None
    except RecipekitError as error:
        return _result(name, [(error, str(error))], [])
    found = [("", _read(composition))] if grid is None else [(" ".join(it.overrides), _read(it)) for _, it in grid]
    blamed: dict[str, tuple[RecipekitError, list[str]]] = {}
    for child, read in found:
        if isinstance(read, RecipekitError):
            blamed.setdefault(str(read), (read, []))[1].append(child)
    errors = [(error, f"{_children(those)}{text}") for text, (error, those) in blamed.items()]
    warnings = [warning for _, read in found if isinstance(read, tuple) for warning in read]
    return _result(name, errors, warnings)


def _read(composition: Composition) -> tuple[str, ...] | RecipekitError:
    """The warnings of a recipe that is right, or what is wrong with it."""
    try:
        return parse(composition.mapping, composition.project.root, composition.origin).warnings
    except RecipekitError as error:
        return error


def _result(name: str, errors: Sequence[tuple[RecipekitError, str]], warnings: Iterable[str]) -> Result:
    """The worst error gives the exit code and the id; all of them are told, and each warning once."""
    worst = worst_exit_code([error.exit_code for error, _ in errors])
    return {
        "recipe": name,
        "exit_code": worst,
        "id": next((error.id for error, _ in errors if error.exit_code == worst), None),
        "error": redacted("\n".join(text for _, text in errors)) or None,
        "warnings": list(dict.fromkeys(warnings)),
    }


def _children(those: Sequence[str]) -> str:
    """Which children of a sweep an error is about, in front of it; nothing where the recipe is no sweep."""
    more = f" (and {len(those) - 1:,} more)" if len(those) > 1 else ""
    return f"{those[0]}{more}: " if those[0] else ""


def _print(results: list[Result]) -> None:
    for result in results:
        if result["error"]:
            sys.stderr.write(f"invalid {result['recipe']}\nerror {result['id']}: {result['error']}\n")
        else:
            sys.stdout.write(f"valid   {result['recipe']}\n")
        for warning in result["warnings"]:
            sys.stderr.write(f"warning {result['recipe']}: {warning}\n")
    for error_id in dict.fromkeys(result["id"] for result in results):
        sys.stderr.write(more(error_id) if error_id else "")
