"""A sweep: every child runs, whatever becomes of the others, and a summary is written at the end.

Hydra decides which children there are, and a launcher where they run: here, several at once as far as the workers
allow, or on another engine, where they share the store. Where another sweeper of Hydra's runs them, a child leaves its
outcome in a file, and one that vanished is a row with a reason.
"""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from datetime import datetime, timezone
from functools import partial
from pathlib import Path
from typing import NamedTuple

import msgspec

from recipekit import digests, fsio
from recipekit.compose.application import sweep
from recipekit.compose.composition import Composition
from recipekit.compose.grid import Grid, children
from recipekit.compose.hydra_launcher import HydraLauncher
from recipekit.errors import ChildLost, RecipekitError
from recipekit.launching import ByHydra, ChildWatcher, Here, Task, open_launcher, run_task
from recipekit.outcome import Failure, Outcome, worst_exit_code
from recipekit.pipeline import Settings, read_job
from recipekit.project import Project
from recipekit.report import render_sweep
from recipekit.secrecy import redacted
from recipekit.summary import as_csv, complete


class SweepResult(NamedTuple):
    """A finished sweep: its folder, and every child's outcome by number."""

    folder: Path
    outcomes: tuple[Outcome, ...]

    @property
    def exit_code(self) -> int:
        """The worst child's."""
        return worst_exit_code([outcome.exit_code for outcome in self.outcomes])


class Sweep(NamedTuple):
    """What the children of a sweep have in common; picklable, for launchers that start processes.

    Attributes:
        project: where the recipes are.
        settings: of every child.
        folder: of the sweep.
        watch: makes the watcher of a child, given its number.
    """

    project: Project
    settings: Settings
    folder: Path
    watch: Callable[[int], ChildWatcher]

    def task(self, composition: Composition, number: int) -> Task | Outcome:
        """A child to carry out; its outcome where its recipe is refused."""
        try:
            return Task(number, read_job(composition), self.settings.for_child(self.folder.name, number))
        except RecipekitError as error:
            return Outcome(
                recipe=composition.recipe,
                overrides=tuple(map(redacted, composition.overrides)),
                number=number,
                status="failed",
                seconds=0.0,
                failure=Failure.of(error),
            )

    def arrived(self, outcome: Outcome) -> None:
        """Shows a child's outcome that comes from elsewhere, its warnings before it, and keeps it.

        Raises:
            OutputFault: the file system refused.
        """
        watcher = self.watch(outcome.number)
        for warning in outcome.warnings:
            watcher.warning(warning)
        self.ended(outcome)

    def ended(self, outcome: Outcome) -> None:
        """Shows a child's outcome, and keeps it.

        Raises:
            OutputFault: the file system refused.
        """
        self.watch(outcome.number).ended(outcome)
        with fsio.reported(self.folder):
            child = self.folder / str(outcome.number)
            child.mkdir(exist_ok=True)
            (child / ".outcome").write_bytes(msgspec.json.encode(outcome))
            (child / ".outcome").replace(child / "outcome.json")


def run_sweep(
    project: Project,
    overrides: Sequence[str],
    settings: Settings,
    watch: Callable[[int], ChildWatcher],
    begun: Callable[[Path, int | None], None] = lambda _folder, _children: None,
) -> SweepResult:
    """Runs every child of a sweep and writes `outputs/sweeps/<id>/` with its summary.

    Args:
        project: where the recipes are.
        overrides: the command line's, those that stand for several values among them.
        settings: of every child.
        watch: makes the watcher of a child, given its number; picklable for launchers that start other processes.
        begun: is given the sweep's folder and the number of its children before the first one runs; None for the number
            where only Hydra knows it.

    Raises:
        UsageError, CompositionError, ForbiddenKey: a child can't be composed; then none has run.
        EnvironmentFault: the launcher's engine isn't installed, or can't be reached.
        OutputFault: the summary can't be written.
    """
    started = datetime.now(timezone.utc)
    folder = project.outputs / "sweeps" / f"{started:%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"
    with fsio.reported(folder):
        fsio.make_folders(folder)
    common = Sweep(project, settings, folder, watch)
    lost: tuple[Outcome, ...] = ()
    try:
        if not _run_children(common, overrides, begun):
            begun(folder, None)
            lost = _run_by_hydra(common, overrides)
    except BaseException:
        _finish(folder)  # whatever stopped the sweep, the children that have ended count
        raise
    return SweepResult(folder, _finish(folder, lost))


def _run_children(common: Sweep, overrides: Sequence[str], begun: Callable[[Path, int | None], None]) -> bool:
    """Runs children by the launcher that the sweep has chosen, unless only Hydra knows them: then False."""
    with ExitStack() as held:
        here = held.enter_context(Here(common.project, common.watch))
        grid = children(common.project, overrides, first=partial(_prepare, here))
        if grid is None:
            return False
        begun(common.folder, len(grid))
        tasks = _tasks(common, grid)
        if grid.launcher is None:
            here.launch(tasks, common.ended)
        elif grid.launcher.is_ours:
            held.enter_context(open_launcher(*grid.launcher, common.project)).launch(tasks, common.arrived)
        else:
            plugin = HydraLauncher(common.project, overrides, grid.rows, common.folder)
            held.enter_context(ByHydra(plugin, common.folder / ".children")).launch(tasks, common.arrived)
    return True


def _prepare(here: Here, composition: Composition) -> None:
    with suppress(RecipekitError):
        here.prepare(read_job(composition))


def _tasks(common: Sweep, grid: Grid) -> Iterator[Task]:
    """The children that can begin, in their order; the outcome of any other is known before it does."""
    for number, composition in grid:
        task = common.task(composition, number)
        if isinstance(task, Outcome):
            common.ended(task)
        else:
            yield task


def _run_by_hydra(common: Sweep, overrides: Sequence[str]) -> tuple[Outcome, ...]:
    """Lets Hydra sweep; if its launcher fails, what the children left still counts, and the rest is one row."""
    started = datetime.now(timezone.utc)
    try:
        sweep(common.project, overrides, common.folder, partial(_run_launched, common))
    except RecipekitError:
        raise
    except Exception as error:  # noqa: BLE001  a launcher is foreign code
        return (_lost(error, started),)
    return ()


def _run_launched(common: Sweep, composition: Composition, number: int) -> None:
    """One child in whatever process a launcher has chosen for it."""
    task, started = common.task(composition, number), time.monotonic()
    if isinstance(task, Outcome):
        common.ended(task)
        return
    try:
        outcome = run_task(task, common.watch(number))
    except Exception as error:  # noqa: BLE001  the edge of the process: a defect is one child's, not the sweep's
        outcome = task.defective(error, time.monotonic() - started)
    common.ended(outcome)


def _finish(folder: Path, lost: tuple[Outcome, ...] = ()) -> tuple[Outcome, ...]:
    """Writes the summary of all children that have ended; where there are none the folder goes, too.

    Raises:
        OutputFault: the file system refused.
    """
    with fsio.reported(folder):
        found = [msgspec.json.decode(path.read_bytes(), type=Outcome) for path in folder.glob("*/outcome.json")]
        outcomes = (*sorted(found, key=lambda outcome: outcome.number), *lost)
        (folder / "multirun.yaml").unlink(missing_ok=True)  # Hydra's copy of the config names paths of this machine
        if outcomes:
            _summarise(folder, outcomes)
        else:
            fsio.remove_tree(folder)
    return outcomes


def _lost(error: Exception, started: datetime) -> Outcome:
    what = f"the launcher gave up, and children that had not ended are lost: {type(error).__name__}: {error}"
    return Outcome(
        recipe="",
        number=-1,
        status="failed",
        seconds=(datetime.now(timezone.utc) - started).total_seconds(),
        failure=Failure.of(ChildLost(what.partition("\n")[0], fix="run the sweep again; what is built is found")),
    )


def _summarise(folder: Path, outcomes: tuple[Outcome, ...]) -> None:
    rows = complete({**outcome.row(), "output": _relative(outcome.output, folder)} for outcome in outcomes)
    fsio.write_bytes(folder / "summary.json", digests.pretty_json(rows).encode())
    fsio.write_bytes(folder / "summary.csv", as_csv(rows).encode())
    fsio.write_bytes(folder / "summary.html", render_sweep(rows, f"Sweep {folder.name}").encode())


def _relative(output: str, folder: Path) -> str:
    """An output's folder as seen from the sweep's, so that a moved outputs folder keeps its links."""
    return Path(os.path.relpath(output, folder)).as_posix() if output else ""
