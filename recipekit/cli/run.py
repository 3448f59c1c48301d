"""`recipekit run`: builds a recipe, with -m every child of a sweep, or goes on with one; also what Hydra answers."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable
from functools import partial
from itertools import chain, repeat
from pathlib import Path

import msgspec
from rich.console import Console

from recipekit.cli.arguments import make_parser, project_of
from recipekit.cli.ci_output import CiOutput, add_ci
from recipekit.cli.interruption import told_if_stopped
from recipekit.cli.kept import kept_of_run, kept_of_sweep
from recipekit.cli.run_reports import report_error, report_run, report_sweep
from recipekit.cli.screen import Screen
from recipekit.cli.signer import add_signer, read_signer
from recipekit.cli.sweep_screen import SweepScreen
from recipekit.cli.waiting import waited_for
from recipekit.compose.application import answer
from recipekit.compose.composition import Composition, compose
from recipekit.errors import ProjectError, RecipekitError, UsageError
from recipekit.facilities import facilities_for
from recipekit.outcome import Outcome
from recipekit.outputs import SharedOutputs
from recipekit.pipeline import Settings, read_job, run_job
from recipekit.project import Project
from recipekit.resuming import resume_sweep
from recipekit.signing.keys import PrivateKey
from recipekit.signing.signer import sign_output
from recipekit.sweeping import SweepResult, run_sweep
from recipekit.tracking import Tracker

_PUBLISHED = "every output is published; signatures and reports of it may be missing, and the same command gives them"


def main(argv: list[str]) -> int:
    """Runs what the arguments ask for; see `recipekit run --help`."""
    options = _read(argv)
    key = _signer(options)
    ci, tracker = CiOutput(options), Tracker() if options.mlflow else None
    project = _anywhere(options) if options.shell_completion else project_of(options)
    questions = _hydra_flags(options)
    if questions:
        answer(project, questions, options.overrides)
        return 0
    console = Console(stderr=options.format == "json")
    try:
        composition = None if options.multirun or options.resume else compose(project, options.overrides)
        if composition is None or composition.sweeps:
            end: Callable[..., int] = partial(_end_of_sweep, _sweep(project, options, console), project)
        else:
            end = partial(_end_of_run, _build(composition, options, console), composition)
    except RecipekitError as error:
        if ci.is_asked_for:
            report_error(ci, error, options.overrides, project.root)
        raise
    with told_if_stopped(lambda: _PUBLISHED):
        return end(options, console, key, ci, tracker)


def _build(composition: Composition, options: argparse.Namespace, console: Console) -> Outcome:
    project, screen = composition.project, Screen(console)
    kept = partial(kept_of_run, screen, project, rebuild=options.rebuild)
    with told_if_stopped(kept), facilities_for(project) as facilities:
        try:
            return run_job(read_job(composition), facilities, screen, Settings(rebuild=options.rebuild))
        finally:
            screen.stopped()


def _sweep(project: Project, options: argparse.Namespace, console: Console) -> SweepResult:
    watch = SweepScreen(stderr=console.stderr, explain=options.explain)
    with told_if_stopped(partial(kept_of_sweep, watch, project)):
        try:
            if options.resume:
                return resume_sweep(project, options.resume, options.overrides, watch, watch.begun)
            return run_sweep(project, options.overrides, Settings(rebuild=options.rebuild), watch, watch.begun)
        finally:
            watch.stopped()


def _end_of_run(
    outcome: Outcome,
    composition: Composition,
    options: argparse.Namespace,
    console: Console,
    key: PrivateKey | None,
    ci: CiOutput,
    tracker: Tracker | None,
) -> int:
    """Signs, shows and reports a build whose output is published."""
    _sign(key, options, composition.project, [outcome])
    screen = Screen(console)
    screen.outcome(outcome, composition.project.root)
    if options.explain:
        screen.explanation(outcome)
    if options.format == "json":
        sys.stdout.write(msgspec.json.encode(outcome).decode() + "\n")
    if ci.is_asked_for:
        report_run(ci, outcome, composition)
    if tracker is not None:
        with waited_for("mlflow"):
            told = tracker.log_run(outcome)
        console.print(told, highlight=False, markup=False, soft_wrap=True)
    return outcome.exit_code


def _end_of_sweep(
    result: SweepResult,
    project: Project,
    options: argparse.Namespace,
    console: Console,
    key: PrivateKey | None,
    ci: CiOutput,
    tracker: Tracker | None,
) -> int:
    """Signs, shows and reports a sweep whose outputs are published."""
    _sign(key, options, project, result.outcomes)
    Screen(console).sweep(result.outcomes, result.folder, project.root, result.study)
    if options.format == "json":
        for before, outcome in zip(chain("[", repeat(",")), result.outcomes, strict=False):
            sys.stdout.write(before + msgspec.json.encode(outcome).decode())
        sys.stdout.write("]\n")
    if ci.is_asked_for:
        report_sweep(ci, result.outcomes, result.folder, project)
    if tracker is not None:
        with waited_for("mlflow"):
            told = tracker.log_sweep(result.outcomes, result.folder)
        console.print(told, highlight=False, markup=False, soft_wrap=True)
    return result.exit_code


def _signer(options: argparse.Namespace) -> PrivateKey | None:
    """The key that signs what comes of the run, read and decrypted before anything starts; None where none shall."""
    if options.sign:
        return read_signer(options)
    if options.key or options.oms:
        raise UsageError("--key and --oms belong to --sign", where="command line", fix="add --sign")
    return None


def _sign(key: PrivateKey | None, options: argparse.Namespace, project: Project, outcomes: Iterable[Outcome]) -> None:
    """Signs every output, whatever its verdict, which is signed with it."""
    if key is not None:
        for folder in {Path(outcome.output): None for outcome in outcomes if outcome.output}:
            sign_output(folder, key, model=options.oms)
            SharedOutputs.of(project).share_signatures(folder)


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
