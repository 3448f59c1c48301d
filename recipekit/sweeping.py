"""A sweep: every child runs, whatever becomes of the others, and a summary is written at the end.

A sweep composes from its own copy of the recipes, and keeps how it began, so that another process can go on with it.
Hydra decides which children there are. A launcher decides where they run: in this process, several at a time, or on
another engine with the same store. Under a sweeper of Hydra's that runs its children itself, each leaves its outcome in
a file, and children without one are a row with a reason.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, suppress
from datetime import datetime, timezone
from functools import partial
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import msgspec

from recipekit import fsio
from recipekit.child_outcomes import FILE, Outcomes, outcome_of
from recipekit.compose.application import sweep
from recipekit.compose.composition import Composition
from recipekit.compose.grid import Grid, children, sweeper_of
from recipekit.compose.hydra_launcher import HydraLauncher
from recipekit.compose.rows import LauncherChoice
from recipekit.compose.searches import search_of
from recipekit.errors import ChildLost, RecipekitError
from recipekit.launching import ByHydra, ChildWatcher, Here, Launcher, Task, open_launcher, run_task
from recipekit.outcome import Failure, Outcome
from recipekit.outputs import SharedOutputs
from recipekit.pipeline import Settings, read_job
from recipekit.project import Project
from recipekit.searching import Study, open_study
from recipekit.secrecy import redacted
from recipekit.studied import Studied, read_study
from recipekit.summarising import summarise, summarised_if_stopped
from recipekit.sweeps import GRID, SEARCH, copy_recipes, driven, write_record

Begun = Callable[[Path, int | None, int], None]
"""Is given a sweep's folder, the number of its children, None where only Hydra knows it, and how many have ended."""


class SweepResult(NamedTuple):
    """A finished sweep: its folder, every child's outcome by number, and of a search what it has found.

    An outcome is read when it is asked for.
    """

    folder: Path
    outcomes: Outcomes
    study: Studied | None = None

    @property
    def exit_code(self) -> int:
        """The worst child's."""
        return self.outcomes.exit_code


def _nobody(_outcome: Outcome) -> None:
    """Is told what becomes of the children of a sweep that doesn't search."""


class Sweep(NamedTuple):
    """What the children of a sweep have in common; picklable, for launchers that start processes.

    Attributes:
        project: where the recipes are.
        settings: of every child.
        folder: of the sweep.
        watch: makes the watcher of a child, given its number.
        finished: numbers of children that need not run.
        told: is told each outcome when it is kept: whoever chooses the next child by it.
    """

    project: Project
    settings: Settings
    folder: Path
    watch: Callable[[int], ChildWatcher]
    finished: Collection[int] = frozenset()
    told: Callable[[Outcome], None] = _nobody

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
        """Shows a child's outcome, keeps it, and tells of it.

        Raises:
            OutputFault: the file system refused.
        """
        self.watch(outcome.number).ended(outcome)
        with fsio.reported(self.folder):
            child = self.folder / str(outcome.number)
            child.mkdir(exist_ok=True)
            (child / ".outcome").write_bytes(msgspec.json.encode(outcome))
            (child / ".outcome").replace(child / FILE)
        self.told(outcome)


def run_sweep(
    project: Project,
    overrides: Sequence[str],
    settings: Settings,
    watch: Callable[[int], ChildWatcher],
    begun: Begun = lambda _folder, _children, _ended: None,
) -> SweepResult:
    """Runs every child of a sweep and writes `outputs/sweeps/<id>/` with its summary.

    Args:
        project: where the recipes are.
        overrides: the command line's, those that stand for several values among them.
        settings: of every child.
        watch: makes the watcher of a child, given its number; picklable for launchers that start other processes.
        begun: is called before the first child runs.

    Raises:
        UsageError, CompositionError, ForbiddenKey: a child can't be composed; then none has run.
        EnvironmentFault: the launcher's engine isn't installed, or can't be reached.
        OutputFault: the summary can't be written.
    """
    started = datetime.now(timezone.utc)
    folder = project.sweeps / f"{started:%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"
    with fsio.reported(folder):
        fsio.make_folders(folder)
    with driven(folder), summarised_if_stopped(folder):
        copying, files = copy_recipes(project, folder)

        def begin(number: int | None, sweeper: str) -> None:
            write_record(folder, copying, files, overrides, rebuild=settings.rebuild, sweeper=sweeper, children=number)
            begun(folder, number, 0)

        return carry_out(Sweep(copying, settings, folder, watch), overrides, begin)


def carry_out(common: Sweep, overrides: Sequence[str], begin: Callable[[int | None, str], None]) -> SweepResult:
    """Runs the children of a sweep that are not finished, and writes the summary of all; raises what `run_sweep` does.

    Args:
        common: what the children have in common.
        overrides: those that the sweep began with.
        begin: is given the number of children, None where only Hydra knows it, and who says which there are, before
            the first one runs.
    """
    lost: tuple[Outcome, ...] = ()
    if not _run_children(common, overrides, begin):
        begin(None, sweeper_of(common.project, overrides) or GRID)
        lost = _run_by_hydra(common, overrides)
    outcomes = summarise(common.folder, lost)
    SharedOutputs.of(common.project).share_sweep(common.folder)
    with fsio.reported(common.folder):
        return SweepResult(common.folder, outcomes, read_study(common.folder))


def _run_children(common: Sweep, overrides: Sequence[str], begin: Callable[[int | None, str], None]) -> bool:
    """Runs children by the launcher that the sweep has chosen, unless only Hydra knows them: then False."""
    with ExitStack() as held:
        here = held.enter_context(Here(common.project, common.watch))
        chosen: Grid | Study | None = children(common.project, overrides, first=partial(_prepare, here))
        if chosen is None:
            search = search_of(common.project, overrides)
            if search is None:
                return False
            if search.launcher is None:
                _prepare(here, next(search.corners()))
            chosen = study = held.enter_context(open_study(search, common.folder, partial(outcome_of, common.folder)))
            common = common._replace(told=study.ended)
            here.limit(study.at_once)
            begin(len(study) + len(common.finished), SEARCH)
        else:
            begin(len(chosen), GRID)
        _launch(common, overrides, chosen, here)
    return True


def _launch(common: Sweep, overrides: Sequence[str], chosen: Grid | Study, here: Here) -> None:
    """Runs the children by the launcher that was chosen, which is opened when there is one to run."""
    tasks = _tasks(common, chosen)
    if chosen.launcher is None:
        here.launch(tasks, common.ended)
        return
    first = next(tasks, None)
    if first is not None:
        with _opened(common, overrides, chosen, chosen.launcher) as launcher:
            launcher.launch(chain([first], tasks), common.arrived)


def _opened(
    common: Sweep, overrides: Sequence[str], chosen: Grid | Study, choice: LauncherChoice
) -> AbstractContextManager[Launcher]:
    if choice.is_ours or not isinstance(chosen, Grid):
        return open_launcher(*choice, common.project)
    return ByHydra(HydraLauncher(common.project, overrides, chosen.rows, common.folder), common.folder / ".children")


def _prepare(here: Here, composition: Composition) -> None:
    with suppress(RecipekitError):
        here.prepare(read_job(composition))


def _tasks(common: Sweep, chosen: Grid | Study) -> Iterator[Task]:
    """The children that can begin, in their order; the outcome of any other is known before it does."""
    for number, child in chosen:
        if number in common.finished:
            continue
        task = child if isinstance(child, Outcome) else common.task(child, number)
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
        return (_lost(error, started, common.folder.name),)
    return ()


def _run_launched(common: Sweep, composition: Composition, number: int) -> None:
    """One child in whatever process a launcher has chosen for it."""
    if number in common.finished:
        return
    task, started = common.task(composition, number), time.monotonic()
    if isinstance(task, Outcome):
        common.ended(task)
        return
    try:
        outcome = run_task(task, common.watch(number))
    except Exception as error:  # noqa: BLE001  the edge of the process: a defect is one child's, not the sweep's
        outcome = task.defective(error, time.monotonic() - started)
    common.ended(outcome)


def _lost(error: Exception, started: datetime, sweep_id: str) -> Outcome:
    what = f"the launcher gave up, and children that had not ended are lost: {type(error).__name__}: {error}"
    return Outcome(
        recipe="",
        number=-1,
        status="failed",
        seconds=(datetime.now(timezone.utc) - started).total_seconds(),
        failure=Failure.of(ChildLost(what.partition("\n")[0], fix=f"recipekit run --resume {sweep_id}")),
    )
