"""`recipekit validate`: composes and checks recipes; never starts a worker, never imports TensorFlow."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from recipekit.cli.arguments import make_parser, project_of
from recipekit.cli.ci_output import CiOutput, add_ci
from recipekit.cli.messages import more
from recipekit.cli.waiting import counted
from recipekit.compose.folders import recipe_files
from recipekit.compose.session import hydra_for
from recipekit.compose.users import recipes_of_files
from recipekit.errors import UsageError
from recipekit.nearest import did_you_mean
from recipekit.outcome import worst_exit_code
from recipekit.project import Project, find_project
from recipekit.validation import Validation, validate_recipe


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
    results: list[Validation] = []
    roots: list[Path] = []
    for project, names in _asked(options, files, chosen):
        with hydra_for(project):
            for name in counted("validate", names, "recipes"):
                lines = overrides if chosen else [f"recipe={name}", *overrides]
                results.append(validate_recipe(project, lines))
                roots.append(project.root)
    if options.format == "json":
        sys.stdout.write(json.dumps(msgspec.to_builtins(results), indent=2) + "\n")
    else:
        _print(results)
    if ci.is_asked_for:
        from recipekit.cli.validation_reports import report_validations  # noqa: PLC0415  few ask for it

        report_validations(ci, results, roots)
    return worst_exit_code([result.exit_code for result in results])


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


def _print(results: Sequence[Validation]) -> None:
    for result in results:
        if result.error:
            sys.stderr.write(f"invalid {result.recipe}\nerror {result.id}: {result.error}\n")
        else:
            sys.stdout.write(f"valid   {result.recipe}\n")
        for warning in result.warnings:
            sys.stderr.write(f"warning {result.recipe}: {warning}\n")
    for error_id in dict.fromkeys(result.id for result in results):
        sys.stderr.write(more(error_id) if error_id else "")
