"""`recipekit reproduce`: an output built again from its manifest alone, and compared byte for byte."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import msgspec

from recipekit.audit.environment_check import check_environment
from recipekit.audit.recorded_output import read_output
from recipekit.audit.recorded_project import project_around
from recipekit.audit.reproduction import Where, reproduce
from recipekit.cli.arguments import Parser
from recipekit.cli.reproduction_page import show_environment, show_reproduction
from recipekit.cli.screen import Screen
from recipekit.cli.tables import data_console
from recipekit.errors import UsageError
from recipekit.outputs.lookup import find_folder
from recipekit.pool import Limits, Pool


def main(argv: list[str]) -> int:
    """Builds and compares, or with `--check-env` only compares the environments."""
    options = _parser().parse_args(argv)
    for folder in filter(None, (options.project, *options.inputs)):
        if not folder.is_dir():
            raise UsageError("there is no such folder", where=str(folder), fix="name a folder")
    console = data_console(stderr=options.format == "json")
    recorded = read_output(find_folder(options.output, Path.cwd()))
    if options.check_env:
        check = check_environment(recorded)
        if options.format == "json":
            sys.stdout.write(msgspec.json.encode(check).decode() + "\n")
        else:
            show_environment(console, check)
        return check.exit_code
    project = project_around(recorded.folder, Path.cwd(), options.project)
    screen = Screen(console)
    where = Where(project.root.resolve(), options.inputs, options.keep)
    with Pool(Limits.of(project), variables=recorded.variables(project.env)) as pool:
        try:
            reproduction = reproduce(recorded, where, pool, screen)
        finally:
            screen.stopped()
    if options.format == "json":
        sys.stdout.write(msgspec.json.encode(reproduction).decode() + "\n")
    else:
        show_reproduction(console, reproduction)
    return reproduction.exit_code


def _parser() -> Parser:
    parser = Parser(
        prog="recipekit reproduce",
        description="Build an output again from its manifest alone, in a store of its own, and compare byte for byte;"
        " docs/reproduce.md says what is promised where.",
        epilog="example: recipekit reproduce outputs/mobilenet_int8/latest",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("output", metavar="OUTPUT", help="the folder of an output, or its place below the outputs")
    parser.add_argument(
        "--project",
        metavar="DIR",
        type=Path,
        help="the folder that recorded paths are relative to (default: the project around OUTPUT, else the one here)",
    )
    parser.add_argument(
        "--inputs",
        metavar="DIR",
        type=Path,
        action="append",
        default=[],
        help="one more folder in which inputs may lie under any name; may be repeated",
    )
    parser.add_argument(
        "--keep", metavar="DIR", type=Path, help="where an output that differs is kept (default: OUTPUT.reproduced)"
    )
    parser.add_argument("--check-env", action="store_true", help="only say what differs in the environment")
    parser.add_argument("--format", choices=["text", "json"], default="text", help="how to print the result")
    return parser
