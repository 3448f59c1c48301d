"""`recipekit run`: builds a recipe, with -m every child of a sweep, or goes on with one; also what Hydra answers."""

from __future__ import annotations

import argparse
import sys
from functools import partial
from pathlib import Path

import msgspec

from recipekit.cli.arguments import make_parser, project_of
from recipekit.cli.ci_output import add_ci
from recipekit.cli.interruption import told_if_stopped
from recipekit.cli.kept import kept_of_run
from recipekit.cli.run_ending import RunEnding
from recipekit.cli.screen import Screen
from recipekit.cli.signer import add_signer
from recipekit.compose.application import answer
from recipekit.compose.composition import Composition, compose
from recipekit.errors import ProjectError, RecipekitError, UsageError
from recipekit.facilities import facilities_for
from recipekit.outcome import Outcome
from recipekit.pipeline import Settings, read_job, run_job
from recipekit.project import Project

_PUBLISHED = "every output is published; signatures and reports of it may be missing, and the same command gives them"


def main(argv: list[str]) -> int:
    """Runs what the arguments ask for; see `recipekit run --help`."""
    options = _read(argv)
    ending = RunEnding(options)
    project = _anywhere(options) if options.shell_completion else project_of(options)
    questions = _hydra_flags(options)
    if questions:
        answer(project, questions, options.overrides)
        return 0
    try:
        composition = None if options.multirun or options.resume else compose(project, options.overrides)
        if composition is None or composition.sweeps:
            from recipekit.cli.run_sweep import end_of_sweep, sweep  # noqa: PLC0415  a build alone needs none of it

            end = partial(end_of_sweep, sweep(project, ending), project)
        else:
            end = partial(_end_of_run, _build(composition, ending), composition)
    except RecipekitError as error:
        if ending.ci.is_asked_for:
            from recipekit.cli.run_reports import report_error  # noqa: PLC0415  few ask for it

            report_error(ending.ci, error, options.overrides, project.root)
        raise
    with told_if_stopped(lambda: _PUBLISHED):
        return end(ending)


def _build(composition: Composition, ending: RunEnding) -> Outcome:
    project, screen, rebuild = composition.project, Screen(ending.console), ending.options.rebuild
    kept = partial(kept_of_run, screen, project, rebuild=rebuild)
    with told_if_stopped(kept), facilities_for(project) as facilities:
        try:
            return run_job(read_job(composition), facilities, screen, Settings(rebuild=rebuild))
        finally:
            screen.stopped()


def _end_of_run(outcome: Outcome, composition: Composition, ending: RunEnding) -> int:
    """Signs, shows and reports a build whose output is published."""
    ending.sign(composition.project, [outcome])
    screen = Screen(ending.console)
    screen.outcome(outcome, composition.project.root)
    if ending.options.explain:
        screen.explanation(outcome)
    if ending.options.format == "json":
        sys.stdout.write(msgspec.json.encode(outcome).decode() + "\n")
    if ending.ci.is_asked_for:
        from recipekit.cli.run_reports import report_run  # noqa: PLC0415  few ask for it

        report_run(ending.ci, outcome, composition)
    ending.track(lambda tracker: tracker.log_run(outcome))
    return outcome.exit_code


def _anywhere(options: argparse.Namespace) -> Project:
    """The project for shell completion, which must not fail where there is none, as in a start-up file of a shell."""
    try:
        return project_of(options)
    except ProjectError:
        here = Path.cwd()
        return Project(root=here, recipes=here, outputs=here / "outputs")


def _read(argv: list[str]) -> argparse.Namespace:
    parser = make_parser(
        "run", "Build a recipe: convert, compare, judge, publish.", "recipekit run recipe=mobilenet_int8 seed=7"
    )
    parser.add_argument("-m", "--multirun", action="store_true", help="sweep: key=a,b runs every combination")
    parser.add_argument("--resume", metavar="SWEEP", help="go on with a sweep: its id, a path, or latest")
    parser.add_argument("--rebuild", action="store_true", help="build even what is built already")
    parser.add_argument("--sign", action="store_true", help="sign the output, as recipekit sign does")
    add_signer(parser)
    parser.add_argument("--mlflow", action="store_true", help="log what is published to MLflow (docs/mlflow.md)")
    add_ci(parser)
    parser.add_argument("--explain", action="store_true", help="say of each stage whether it ran or was found, and why")
    parser.add_argument("--format", choices=["text", "json"], default="text", help="how to print the result")
    parser.add_argument("--cfg", "-c", choices=["job", "hydra", "all"], help="print the composed config and stop")
    parser.add_argument("--resolve", action="store_true", help="with --cfg: resolve interpolations")
    parser.add_argument("--package", "-p", metavar="KEY", help="with --cfg: only this part")
    parser.add_argument(
        "--info",
        "-i",
        nargs="?",
        const="all",
        choices=["all", "config", "defaults", "defaults-tree", "plugins", "searchpath"],
        help="print what Hydra knows about the composition and stop",
    )
    parser.add_argument(
        "--shell-completion", "-sc", action="store_true", help="Hydra's shell completion (-sc install=bash)"
    )
    options = parser.parse_intermixed_args(argv)
    if options.resume is not None:
        _require_alone(options)
    return options


def _require_alone(options: argparse.Namespace) -> None:
    """Refuses what would have a sweep go on otherwise than it began."""
    others = {"--rebuild": options.rebuild, "--config-dir": options.config_dir, "--cfg": options.cfg}
    others |= {"--info": options.info, "--shell-completion": options.shell_completion}
    for name in (name for name, given in others.items() if given):
        raise UsageError(
            f"{name} doesn't go with --resume: a sweep goes on as it began", where="command line", fix="leave it out"
        )


def _hydra_flags(options: argparse.Namespace) -> list[str]:
    """The flags of a question that Hydra answers; empty for a run."""
    flags: list[str] = []
    if options.cfg:
        flags += ["--cfg", options.cfg]
        flags += ["--resolve"] if options.resolve else []
        flags += ["--package", options.package] if options.package else []
    if options.info:
        flags += ["--info", options.info]
    if options.shell_completion:
        flags += ["--shell-completion"]
    return flags
