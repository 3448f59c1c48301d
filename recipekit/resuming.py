"""Resumes a sweep that was interrupted or has lost its driver, from its own copy of the recipes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from recipekit import fsio
from recipekit.compose.relaunch import relaunched
from recipekit.launching import ChildWatcher
from recipekit.outcome import Outcome
from recipekit.pipeline import Settings
from recipekit.project import Project
from recipekit.summarising import summarised_if_stopped
from recipekit.sweeping import Begun, Sweep, SweepResult, carry_out
from recipekit.sweeps import (
    changed_inputs,
    driven,
    find_sweep,
    finished_children,
    read_record,
    require_repeatable,
    resumed_project,
)

_MOST_NAMED = 5


def resume_sweep(
    project: Project,
    name: str,
    overrides: Sequence[str],
    watch: Callable[[int], ChildWatcher],
    begun: Begun = lambda _folder, _children, _ended: None,
) -> SweepResult:
    """Runs the children of a sweep that lack an output, those that have failed among them, and writes its summary anew.

    Args:
        project: whose sweep it is.
        name: its id, `latest`, or a path.
        overrides: of the launcher alone: `hydra/launcher=NAME`, `hydra.launcher.KEY=VALUE`.
        watch: makes the watcher of a child, given its number; picklable for launchers that start other processes.
        begun: is called before the first child runs.

    Raises:
        UsageError: there is no such sweep, it can't be told again, or an override is about something else.
        EnvironmentFault: recipes come to something else here; or the launcher's engine can't be reached.
        OutputFault: another process drives it, its copy of the recipes was changed, or the file system refused.
    """
    folder = find_sweep(name, project, Path.cwd())
    beginning = read_record(folder)
    complete = relaunched(beginning.overrides, overrides)
    require_repeatable(folder, beginning, complete)
    with driven(folder):
        resumed = resumed_project(folder, beginning, project)
        before = finished_children(folder, project.outputs)
        common = Sweep(resumed, Settings(rebuild=beginning.rebuild), folder, watch, frozenset(before))
        with summarised_if_stopped(folder):
            with fsio.reported(folder):
                for old in folder.glob("summary.*"):  # one of before says too little until there is another
                    old.unlink()
            result = carry_out(common, complete, lambda children, _: begun(folder, children, len(before)))
    _warn_of_changes(before, result.outcomes, watch)
    return result


def _warn_of_changes(
    before: Mapping[int, Path], outcomes: Sequence[Outcome], watch: Callable[[int], ChildWatcher]
) -> None:
    """Warns once, at the first child that has run, of inputs that have changed since earlier children were built."""
    ran = {it.number: Path(it.output) for it in outcomes if it.output and it.number not in before}
    changed = changed_inputs(before.values(), ran.values()) if ran else []
    if changed:
        named = ", ".join(changed[:_MOST_NAMED])
        more = f" and {len(changed) - _MOST_NAMED} more" if len(changed) > _MOST_NAMED else ""
        watch(min(ran)).warning(
            f"the sweep's children were not all built of the same: changed since it began: {named}{more}"
        )
