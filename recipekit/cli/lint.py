"""`recipekit lint`: what is wrong, or looks wrong, with a recipe's samples, without a conversion."""

from __future__ import annotations

import sys

import msgspec
from rich.console import Console
from rich.text import Text

from recipekit.cli.arguments import make_parser, project_of
from recipekit.cli.screen import Screen
from recipekit.cli.tables import PlainTable, data_console, plain_table
from recipekit.compose.composition import compose
from recipekit.contracts import Curve
from recipekit.errors import UsageError
from recipekit.facilities import facilities_for
from recipekit.linting import LintReport, lint_job
from recipekit.pipeline import read_job

_STYLES = {"error": "red", "warning": "yellow"}


def main(argv: list[str]) -> int:
    """Prints every finding, and with `--curve` how the ranges settle."""
    parser = make_parser(
        "lint",
        "Look for faults in calibration and evaluation samples without converting; docs/calibration.md explains each.",
        "recipekit lint recipe=mobilenet_int8 --curve",
    )
    parser.add_argument(
        "--curve", action="store_true", help="measure how the ranges settle with the number of calibration samples"
    )
    parser.add_argument("--format", choices=["text", "json"], default="text", help="how to print the result")
    options = parser.parse_intermixed_args(argv)
    project = project_of(options)
    composition = compose(project, options.overrides)
    if composition.sweeps:
        raise UsageError("lint looks at one recipe", where="command line", fix="give each key one value")
    console = data_console(stderr=options.format == "json")
    screen = Screen(console)
    with facilities_for(project) as facilities:
        try:
            report = lint_job(read_job(composition), facilities, screen, curve=options.curve)
        finally:
            screen.stopped()
    if options.format == "json":
        sys.stdout.write(msgspec.json.encode(report).decode() + "\n")
    else:
        _print(console, report)
    return report.exit_code


def _print(console: Console, report: LintReport) -> None:
    for finding in report.findings:
        line = Text.assemble((finding.severity, _STYLES[finding.severity]), f" {finding.text}")
        console.print(line, highlight=False, soft_wrap=True)
    if report.curve is not None:
        tensors = report.curve.tensors
        console.print(f"share of the ranges still missing, over {tensors} tensors:", highlight=False, soft_wrap=True)
        console.print(_curve_table(report.curve))
    found = {severity: sum(it.severity == severity for it in report.findings) for severity in _STYLES}
    counted = ", ".join(f"{count} {severity}{'s' if count > 1 else ''}" for severity, count in found.items() if count)
    samples = " and ".join(f"{count} {role} samples" for role, count in sorted(report.samples.items()))
    console.print(f"{counted or 'no findings'} in {samples}", highlight=False, soft_wrap=True)


def _curve_table(curve: Curve) -> PlainTable:
    table = plain_table("samples>", "median>", "90th percentile>", apart=True)
    for point in curve.points:
        table.add_row(f"{point.samples:,}", f"{point.median:.1%}", f"{point.p90:.1%}")
    return table
