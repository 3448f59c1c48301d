"""`recipekit doctor`: what could stand in the way here, and of one model; a line each, with the fix."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec
from rich.console import Console
from rich.text import Text

from recipekit.audit.description import describe
from recipekit.cli.arguments import any_project_of, make_parser
from recipekit.cli.tables import data_console, plain_grid
from recipekit.compose.folders import recipe_files
from recipekit.compose.session import hydra_for
from recipekit.contracts import Record
from recipekit.diagnosis import machine, surroundings
from recipekit.diagnosis.finding import Finding, fault, of_error, ok
from recipekit.diagnosis.model import model
from recipekit.errors import ProjectError, RecipekitError
from recipekit.escaping import escaped_lines
from recipekit.outcome import worst_exit_code
from recipekit.pool import Limits, Pool
from recipekit.project import Project
from recipekit.validation import validate_recipe

_STYLES = {"ok": "green", "warning": "yellow", "fault": "red"}


class Diagnosis(Record, frozen=True, kw_only=True):
    """What `doctor` has found.

    Attributes:
        schema: version of this shape.
        model: as the user named it; empty without one.
        findings: in the order of looking.
    """

    schema: int = 1
    model: str
    findings: tuple[Finding, ...]


def main(argv: list[str]) -> int:
    """Prints a line for everything that was looked at."""
    parser = make_parser(
        "doctor",
        "Say what could stand in the way: of this machine, this project, and one model.",
        "recipekit doctor model.keras",
        overrides=False,
    )
    parser.add_argument("model", metavar="MODEL", type=Path, nargs="?", help="a model to look at instead")
    parser.add_argument("--quick", action="store_true", help="start no worker processes; a SavedModel needs one")
    parser.add_argument("--format", choices=["text", "json"], default="text", help="how to print the result")
    options = parser.parse_args(argv)
    with Pool(Limits()) as pool:
        findings = tuple(_here(options, pool) if options.model is None else _of_model(options, pool))
    if options.format == "json":
        report = Diagnosis(model=str(options.model or ""), findings=findings)
        sys.stdout.write(msgspec.json.encode(report).decode() + "\n")
    else:
        _print(data_console(), findings)
    return worst_exit_code([finding.exit_code for finding in findings])


def _here(options: argparse.Namespace, pool: Pool) -> Iterator[Finding]:
    yield from machine.installation()
    yield from machine.hardware()
    try:
        project = any_project_of(options)
    except ProjectError as error:
        yield of_error("project", error)
    else:
        yield from surroundings.project(project)
        if project is not None:
            yield from _recipes(project)
    if not options.quick:
        yield from machine.workers(pool)


def _recipes(project: Project) -> Iterator[Finding]:
    names = list(recipe_files(project))
    with hydra_for(project):
        results = [validate_recipe(project, [f"recipe={name}"]) for name in names]
    wrong = [result for result in results if result.exit_code]
    for result in wrong:
        first = str(result.error).partition("\n")[0]
        yield fault("recipes", first, f"recipekit validate recipe={result.recipe}", result.exit_code)
    if not wrong:
        yield ok("recipes", f"{len(names)}, all of them valid")


def _of_model(options: argparse.Namespace, pool: Pool) -> Iterator[Finding]:
    project = any_project_of(options)
    try:
        described = describe(options.model, pool)
    except RecipekitError as error:
        yield of_error("model", error)
        return
    yield from model(described, project.root if project else Path.cwd())


def _print(console: Console, findings: Iterable[Finding]) -> None:
    table = plain_grid(3)
    counts = dict.fromkeys(_STYLES, 0)
    for finding in findings:
        counts[finding.state] += 1
        text = Text(escaped_lines(finding.text))
        if finding.fix:
            text.append(f"\nfix: {escaped_lines(finding.fix)}")
        table.add_row(Text(finding.state, style=_STYLES[finding.state]), finding.topic, text)
    console.print(table)
    said = [f"{counts[state]} {state}{'' if counts[state] == 1 else 's'}" for state in ("fault", "warning")]
    console.print(Text(f"\n{', '.join(said)}"))
