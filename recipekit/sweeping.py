"""A sweep: every child runs, whatever becomes of the others, and a summary is written at the end.

Hydra decides which children there are. With its own launcher they run here, several at once as far as the workers
allow, and share every stage; another launcher runs them where it likes, and they share the store. A child leaves its
outcome in a file of its own, so that children in other processes count too, and one that vanished is a row with a
reason.
"""

from __future__ import annotations

import atexit
import os
import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime, timezone
from functools import cache, partial
from pathlib import Path
from threading import Thread
from typing import NamedTuple, Protocol

import msgspec

from recipekit import digests, fsio
from recipekit.build import Job
from recipekit.compose.application import sweep
from recipekit.compose.composition import Composition
from recipekit.compose.grid import children
from recipekit.errors import RecipekitError, StageDied
from recipekit.execution import Watcher
from recipekit.outcome import Failure, Outcome, worst_exit_code
from recipekit.outputs import SharedOutputs
from recipekit.pipeline import Facilities, Settings, prepare, read_job, run_job
from recipekit.pool import Limits, Pool
from recipekit.project import Project
from recipekit.publisher import Publisher
from recipekit.report import render_sweep
from recipekit.secrecy import redacted
from recipekit.store import Store
from recipekit.summary import as_csv, complete
from recipekit.surroundings import Surroundings
from recipekit.turns import Turn, Turns

_AT_WORK = 2
"""Children at work in this process when another one begins: one's files reach the disk while another computes."""

_PARTING_SECONDS = 0.7
"""How long an interrupted sweep waits for outputs that are half on their way to the disk."""

_UNDER_WAY = 24
"""Children that have begun and not ended. Most of them wait; those whose latency is to be measured do so until nothing
else runs, so that many are measured one after the other."""


class SweepResult(NamedTuple):
    """A finished sweep: its folder, and every child's outcome by number."""

    folder: Path
    outcomes: tuple[Outcome, ...]

    @property
    def exit_code(self) -> int:
        """The worst child's."""
        return worst_exit_code([outcome.exit_code for outcome in self.outcomes])


class ChildWatcher(Watcher, Protocol):
    """Is told what becomes of one child."""

    def ended(self, outcome: Outcome) -> None:
        """The child has ended, with an output or without one."""


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
        OutputFault: the summary can't be written.
    """
    started = datetime.now(timezone.utc)
    folder = project.outputs / "sweeps" / f"{started:%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"
    with fsio.reported(folder):
        fsio.make_folders(folder)
    common = Sweep(project, settings, folder, watch)
    lost: tuple[Outcome, ...] = ()
    try:
        if not _run_here(common, overrides, begun):
            begun(folder, None)
            lost = _run_elsewhere(common, overrides)
    except BaseException:
        _finish(folder)  # whatever stopped the sweep, the children that have ended count
        raise
    outcomes = _finish(folder, lost)
    SharedOutputs.of(project).share_sweep(folder)
    return SweepResult(folder, outcomes)


def _run_here(common: Sweep, overrides: Sequence[str], begun: Callable[[Path, int | None], None]) -> bool:
    """Runs children in threads, unless another launcher is to run them: then False.

    Composing and reading recipes stays with this thread, since Hydra's state is global.
    """
    project, turns = common.project, Turns(_AT_WORK, _UNDER_WAY)
    defects: list[Exception] = []

    def run(
        turn: Turn, facilities: Facilities, number: int, composition: Composition, job: Job | RecipekitError
    ) -> None:
        try:
            _run_child(common, facilities._replace(waits=turn.waits), number, composition, job)
        except Exception as error:  # noqa: BLE001  raised again by the thread that waits
            defects.append(error)
        finally:
            turn.end()

    with ExitStack() as held:
        publisher = held.enter_context(Publisher())
        lease = held.enter_context(Store.of(project).lease())
        pool = held.enter_context(Pool(Limits.of(project), litert=os.cpu_count() or 1))
        held.enter_context(_brief_farewell(pool, turns))
        facilities = Facilities(pool, lease, Surroundings(project.root), publish=publisher.publish)
        grid = children(project, overrides, first=partial(_prepare, facilities))
        if grid is not None:
            begun(common.folder, len(grid))
        for number, composition in grid or ():
            turn = turns.begin()
            if defects:
                turn.end()
                break
            child = (turn, facilities, number, composition, _read(composition))
            Thread(target=run, args=child, daemon=True).start()  # an interruption doesn't wait for its stage
        turns.wait_for_all()
    if defects:
        raise defects[0]
    return grid is not None


@contextmanager
def _brief_farewell(pool: Pool, turns: Turns) -> Iterator[None]:
    """Lets children whose outputs are half on their way to the disk get there when something stops the sweep."""
    try:
        yield
    except BaseException:
        pool.close()
        turns.wait_for_all(_PARTING_SECONDS)
        raise


def _prepare(facilities: Facilities, composition: Composition) -> None:
    """Starts the worker that the first child needs; what is wrong with it is said when its turn comes."""
    with suppress(RecipekitError):
        prepare(read_job(composition), facilities)


def _run_elsewhere(common: Sweep, overrides: Sequence[str]) -> tuple[Outcome, ...]:
    """Lets a launcher run the children; if it fails, what they left behind still counts, and the rest is one row."""
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
    _run_child(common, _facilities(common.project), number, composition, _read(composition))


def _read(composition: Composition) -> Job | RecipekitError:
    try:
        return read_job(composition)
    except RecipekitError as error:
        return error


def _run_child(
    common: Sweep, facilities: Facilities, number: int, composition: Composition, job: Job | RecipekitError
) -> None:
    """One child: whatever is wrong with it becomes its outcome."""
    started = time.monotonic()
    watcher = common.watch(number)
    try:
        if isinstance(job, RecipekitError):
            raise job
        outcome = run_job(job, facilities, watcher, common.settings.for_child(common.folder.name, number))
    except RecipekitError as error:
        outcome = Outcome(
            recipe=composition.recipe,
            overrides=tuple(map(redacted, composition.overrides)),
            number=number,
            status="failed",
            seconds=time.monotonic() - started,
            failure=Failure.of(error),
        )
    if facilities.pool.closed and outcome.failure is not None:
        return  # interrupted: what it failed with says nothing about the child
    watcher.ended(outcome)
    with fsio.reported(common.folder):
        child = common.folder / str(number)
        child.mkdir(exist_ok=True)
        (child / ".outcome").write_bytes(msgspec.json.encode(outcome))
        (child / ".outcome").replace(child / "outcome.json")


@cache
def _facilities(project: Project) -> Facilities:
    """What children share that run in a process of a launcher's; it ends with the process."""
    held = ExitStack()
    atexit.register(held.close)
    lease = held.enter_context(Store.of(project).lease())
    pool = held.enter_context(Pool(Limits.of(project)))
    return Facilities(pool, lease, Surroundings(project.root))


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
        failure=Failure.of(StageDied(what.partition("\n")[0], fix="run the sweep again; what is built is found")),
    )


def _summarise(folder: Path, outcomes: tuple[Outcome, ...]) -> None:
    rows = complete({**outcome.row(), "output": _relative(outcome.output, folder)} for outcome in outcomes)
    fsio.write_bytes(folder / "summary.json", digests.pretty_json(rows).encode())
    fsio.write_bytes(folder / "summary.csv", as_csv(rows).encode())
    fsio.write_bytes(folder / "summary.html", render_sweep(rows, f"Sweep {folder.name}").encode())


def _relative(output: str, folder: Path) -> str:
    """An output's folder as seen from the sweep's, so that a moved outputs folder keeps its links."""
    return Path(os.path.relpath(output, folder)).as_posix() if output else ""
