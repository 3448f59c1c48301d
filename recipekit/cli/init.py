"""`recipekit init`: a first recipe for a model, drafted from what its file says; none of the model's code runs."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
from rich.console import Console
from rich.text import Text

from recipekit.audit.description import describe, kind_of
from recipekit.audit.inspection import model_file
from recipekit.cli.arguments import make_parser, project_of
from recipekit.cli.model_page import head, ports
from recipekit.cli.tables import data_console, plain_grid
from recipekit.compose.session import hydra_for
from recipekit.contracts import Description, Record
from recipekit.drafting.draft import Place, Wishes, draft, shown_from
from recipekit.drafting.page import render
from recipekit.drafting.placement import Placement
from recipekit.drafting.scheme import SCHEMES, TARGETS
from recipekit.errors import InternalError, ProjectError, UsageError
from recipekit.escaping import escaped_lines
from recipekit.pool import Limits, Pool
from recipekit.project import find_project
from recipekit.validation import Validation, validate_recipe


class Drafted(Record, frozen=True, kw_only=True):
    """What `init` has done.

    Attributes:
        schema: version of this shape.
        recipe: its name.
        project: root of the project.
        written: files, as seen from there.
        model: what the model says of itself.
        todo: what is left to the user before a run can succeed, a sentence each.
        warnings: what `recipekit validate` says of the recipe.
        next: commands.
    """

    schema: int = 1
    recipe: str
    project: str
    written: tuple[str, ...]
    model: Description
    todo: tuple[str, ...]
    warnings: tuple[str, ...]
    next: tuple[str, ...]


def main(argv: list[str]) -> int:
    """Reads a model, writes a recipe for it, and validates that."""
    options = _parser().parse_args(argv)
    root, recipes = _project(options)
    with Pool(Limits()) as pool:
        drafted = _draft(options, Placement(root, recipes, force=options.force), recipes, pool)
    if options.format == "json":
        sys.stdout.write(msgspec.json.encode(drafted).decode() + "\n")
    else:
        _print(data_console(), drafted)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = make_parser(
        "init",
        "Write a first recipe for a model; docs/first_recipe.md follows one from here to an accepted output.",
        "recipekit init model.keras --dataset data/photos",
        overrides=False,
    )
    parser.add_argument("model", metavar="MODEL", type=Path, help="a SavedModel folder, .keras, .h5 or float .tflite")
    parser.add_argument("--dataset", metavar="PATH", type=Path, help="samples: a folder, .npz, .csv or TFRecords")
    parser.add_argument("--allow-random", action="store_true", help="random samples, to see the conversion work at all")
    scheme = parser.add_mutually_exclusive_group()
    scheme.add_argument("--quantization", choices=SCHEMES, help="the scheme (default: int8)")
    scheme.add_argument("--for", dest="target", choices=TARGETS, help="choose the scheme by what the model runs on")
    parser.add_argument("--name", default="", help="of the recipe (default: after the model and the scheme)")
    parser.add_argument("--directory", metavar="DIR", type=Path, help="the project's folder (default: found from here)")
    parser.add_argument("--copy", action="store_true", help="copy a model from outside into the project's models/")
    parser.add_argument("--force", action="store_true", help="replace a recipe of the same name")
    parser.add_argument("--format", choices=["text", "json"], default="text", help="how to print the result")
    return parser


def _project(options: argparse.Namespace) -> tuple[Path, Path]:
    """Root and recipes folder of the project that is here, or of the one that begins here.

    Raises:
        UsageError: `--directory` names a file.
        ProjectError: a setting is wrong, or `--recipes` names no folder.
    """
    if options.recipes is not None or options.config_dir is not None:
        project = project_of(options)
        return project.root, project.recipes
    start = (options.directory or Path.cwd()).absolute()
    if start.exists() and not start.is_dir():
        raise UsageError("is a file", where=f"--directory {options.directory}", fix="name a folder")
    try:
        project = find_project(start)
    except ProjectError as error:
        if error.where != str(start.resolve()):
            raise
        return start.resolve(), start.resolve() / "recipes"
    return project.root, project.recipes


def _draft(options: argparse.Namespace, placement: Placement, recipes: Path, pool: Pool) -> Drafted:
    kind = kind_of(options.model)
    path = model_file(options.model) if kind == "tflite" else options.model
    model = describe(path, pool)
    inside = path.resolve().is_relative_to(placement.root)
    target = placement.add_copy(path) if options.copy and not inside else path
    scheme = SCHEMES[options.quantization or TARGETS.get(options.target, "int8")]
    wishes = Wishes(options.name, scheme, options.dataset, options.allow_random)
    made = draft(model, wishes, Place(placement.root, shown_from(target, placement.root)), pool)
    text = render(made, outside=not inside and not options.copy)
    placement.add_recipe(made.name, text)
    results: list[Validation] = []
    written = placement.write(lambda: results.append(_valid(made.name, recipes)))
    chosen = f"recipe={made.name}"
    return Drafted(
        recipe=made.name,
        project=str(placement.root),
        written=tuple(written),
        model=model,
        todo=(*made.todo, *_guesses(text)),
        warnings=tuple(results[0].warnings),
        next=(f"recipekit validate {chosen}", f"recipekit lint {chosen}", f"recipekit run {chosen}"),
    )


def _guesses(text: str) -> Iterator[str]:
    """That a recipe has guesses, if it has."""
    count = sum("CHECK:" in line for line in text.splitlines())
    if count:
        yield f"look at what CHECK marks as a guess in the recipe, {count} in all"


def _valid(name: str, recipes: Path) -> Validation:
    """What `recipekit validate` says of the recipe that was written.

    Raises:
        InternalError: the draft itself is wrong.
    """
    project = find_project(recipes.parent, recipes)
    with hydra_for(project):
        result = validate_recipe(project, [f"recipe={name}"])
    if result.error:
        raise InternalError(f"the drafted recipe is not valid: {result.error}", where=f"recipe={name}")
    return result


def _print(console: Console, drafted: Drafted) -> None:
    model = drafted.model
    grid = plain_grid(2)
    written_by = f", written by {model.written_by}" if model.written_by else ""
    grid.add_row(Text("model", style="bold"), f"{model.format}{written_by}, {model.parameters:,} parameters")
    grid.add_row(Text("loader", style="bold"), f"{model.loader}: {model.reason}")
    console.print(grid)
    console.print()
    console.print(ports(model.signature))
    head(console, f"wrote {', '.join(drafted.written)}; it is valid")
    for warning in drafted.warnings:
        console.print(Text(f"  warning: {escaped_lines(warning)}"))
    if drafted.todo:
        head(console, "before the first run")
        for todo in drafted.todo:
            console.print(Text(f"  - {escaped_lines(todo)}"))
    head(console, "next")
    for command in drafted.next:
        console.print(Text(f"  {command}"))
