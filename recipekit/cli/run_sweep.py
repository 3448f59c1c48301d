"""What `run` does with more than one child: begins a sweep or goes on with one, and shows what became of it."""

from __future__ import annotations

import sys
from functools import partial
from itertools import chain, repeat

import msgspec

from recipekit.cli.interruption import told_if_stopped
from recipekit.cli.kept_sweep import kept_of_sweep
from recipekit.cli.run_ending import RunEnding
from recipekit.cli.run_reports import report_sweep
from recipekit.cli.screen import Screen
from recipekit.cli.sweep_screen import SweepScreen
from recipekit.pipeline import Settings
from recipekit.project import Project
from recipekit.resuming import resume_sweep
from recipekit.sweeping import SweepResult, run_sweep


def sweep(project: Project, ending: RunEnding) -> SweepResult:
    """Runs every child, or those that a sweep still lacks.

    Raises:
        RecipekitError: the sweep as a whole can't begin.
    """
    options = ending.options
    watch = SweepScreen(stderr=ending.console.stderr, explain=options.explain)
    with told_if_stopped(partial(kept_of_sweep, watch, project)):
        try:
            if options.resume:
                return resume_sweep(project, options.resume, options.overrides, watch, watch.begun)
            return run_sweep(project, options.overrides, Settings(rebuild=options.rebuild), watch, watch.begun)
        finally:
            watch.stopped()


def end_of_sweep(result: SweepResult, project: Project, ending: RunEnding) -> int:
    """Signs, shows and reports a sweep whose outputs are published."""
    ending.sign(project, result.outcomes)
    Screen(ending.console).sweep(result.outcomes, result.folder, project.root, result.study)
    if ending.options.format == "json":
        for before, outcome in zip(chain("[", repeat(",")), result.outcomes, strict=False):
            sys.stdout.write(before + msgspec.json.encode(outcome).decode())
        sys.stdout.write("]\n")
    if ending.ci.is_asked_for:
        report_sweep(ending.ci, result.outcomes, result.folder, project)
    ending.track(lambda tracker: tracker.log_sweep(result.outcomes, result.folder))
    return result.exit_code
