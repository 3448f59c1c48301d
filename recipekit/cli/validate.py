"""`recipekit validate`: composes and checks recipes; never starts a worker, never imports TensorFlow."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TypedDict

from recipekit.ci.annotations import Annotation, in_error
from recipekit.ci.suites import Case, Suite
from recipekit.ci.summary import suite_summary
from recipekit.cli.arguments import make_parser, project_of
from recipekit.cli.ci_output import CiOutput, add_ci
from recipekit.cli.messages import more
from recipekit.cli.waiting import counted
from recipekit.compose.composition import Composition, compose
from recipekit.compose.folders import recipe_files
from recipekit.compose.grid import children
from recipekit.compose.session import hydra_for
from recipekit.compose.users import recipes_of_files
from recipekit.errors import RecipekitError, UsageError
from recipekit.nearest import did_you_mean
from recipekit.outcome import worst_exit_code
from recipekit.project import Project, find_project
from recipekit.recipe import parse
from recipekit.secrecy import redacted


class Result(TypedDict):
    """What was found of one recipe."""

    recipe: str
    exit_code: int
    id: str | None
    error: str | None
    warnings: list[str]


def main(argv: list[str]) -> int:
    """Checks one recipe with its overrides, every recipe of the project, or those that some files are part of."""
    options = _read(argv)
    ci = CiOutput(options)
    files = [Path(word) for word in options.overrides if _is_file(word)]
    overrides = [word for word in options.overrides if not _is_file(word)]
    chosen = [override for override in overrides if override.startswith("recipe=")]
    if options.all + bool(chosen) + bool(files) != 1:
        near = next(filter(None, (did_you_mean(it.partition("=")[0], ["recipe"]) for it in overrides)), "")
        raise UsageError(
            f"name one recipe or all of them, or files of recipes{'' if chosen else near}",
            where="command line",
            fix="add recipe=NAME or --all, or name files below recipes/",
        )
    results: list[Result] = []
    annotations: list[Annotation] = []
    for project, names in _asked(options, files, chosen):
        with hydra_for(project):
            for name in counted("validate", names, "recipes"):
                lines = overrides if chosen else [f"recipe={name}", *overrides]
                results.append(check(project, lines))
                annotations += _annotations(results[-1], project)
    if options.format == "json":
        sys.stdout.write(json.dumps(results, indent=2) + "\n")
    else:
        _print(results)
    if ci.is_asked_for:
        suite = Suite("validate", tuple(map(_case, results)))
        ci.write("validate", [suite], suite_summary(suite), annotations)
    return worst_exit_code([result["exit_code"] for result in results])


def _read(argv: list[str]) -> argparse.Namespace:
    parser = make_parser(
        "validate",
        "Check recipes without running them. Of files below recipes/ the recipes are checked that they are part of.",
        "recipekit validate recipe=mobilenet_int8",
    )
    parser.add_argument("--all", action="store_true", help="every recipe of the project")
    parser.add_argument("--format", choices=["text", "json"], default="text", help="how to print the result")
    add_ci(parser)
    return parser.parse_intermixed_args(argv)


def _is_file(word: str) -> bool:
    """Whether an argument is a file's name: overrides have `=`, which names of options have not."""
    return word.endswith((".yaml", ".yml")) and ("=" not in word or Path(word).is_file())


def _asked(
    options: argparse.Namespace, files: Sequence[Path], chosen: Sequence[str]
) -> Iterator[tuple[Project, list[str]]]:
    """Projects with the names of the recipes to check; files may lie in several projects.

    Raises:
        ProjectError: a file lies in none.
    """
    if not files:
        project = project_of(options)
        yield project, [chosen[0].partition("=")[2]] if chosen else list(recipe_files(project))
        return
    found: dict[Path, tuple[Project, list[Path]]] = {}
    for file in files:
        project = project_of(options) if options.recipes else find_project(file.absolute().parent)
        found.setdefault(project.recipes, (project, []))[1].append(file.resolve())
    for project, its in found.values():
        names, unused = recipes_of_files(project, its)
        for file in unused:
            sys.stderr.write(f"note    {file.relative_to(project.root)}: no recipe is made of it\n")
        yield project, names


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
    found = [("", _parsed(composition))] if grid is None else [(" ".join(it.overrides), _parsed(it)) for _, it in grid]
    blamed: dict[str, tuple[RecipekitError, list[str]]] = {}
    for child, read in found:
        if isinstance(read, RecipekitError):
            blamed.setdefault(str(read), (read, []))[1].append(child)
    errors = [(error, f"{_children(those)}{text}") for text, (error, those) in blamed.items()]
    warnings = [warning for _, read in found if isinstance(read, tuple) for warning in read]
    return _result(name, errors, warnings)


def _parsed(composition: Composition) -> tuple[str, ...] | RecipekitError:
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


def _case(result: Result) -> Case:
    if not result["error"]:
        return Case(result["recipe"], detail="\n".join(result["warnings"]))
    first_line = result["error"].partition("\n")[0]
    return Case(result["recipe"], "failed", first_line, result["error"], result["id"] or "")


def _annotations(result: Result, project: Project) -> Iterator[Annotation]:
    title = f"{result['id']} {result['recipe']}"
    if result["error"]:
        yield from in_error(result["error"], title, project.root)


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
