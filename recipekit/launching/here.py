"""The launcher of a single machine: children run in threads of this process, share its workers and every stage."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from threading import Thread
from types import TracebackType

from recipekit.build import Job
from recipekit.errors import RecipekitError
from recipekit.launching.contract import ChildWatcher
from recipekit.launching.task import Task
from recipekit.outcome import Outcome
from recipekit.pipeline import Facilities, prepare
from recipekit.pool import Limits, Pool
from recipekit.project import Project
from recipekit.publisher import Publisher
from recipekit.store import Store
from recipekit.surroundings import Surroundings
from recipekit.turns import Turn, Turns

_AT_WORK = 1
"""Children that compute in this process at a time. Their slow work is done elsewhere (workers, the disk, the process
that publishes); the rest is Python code, of which threads run no faster side by side."""

_FINISHING_SECONDS = 0.7
"""How long an interrupted sweep waits for outputs that are being written."""

_UNDER_WAY = 24
"""Children that have begun and not ended. Most of them wait; a child whose latency is to be measured waits until
nothing else runs, so that many are then measured one after the other."""


class Here:
    """Runs children in this process. No worker starts before one is needed; all end with the block."""

    def __init__(self, project: Project, watch: Callable[[int], ChildWatcher]) -> None:
        """Starts nothing.

        Args:
            project: of the children.
            watch: makes the watcher of a child, given its number.
        """
        self._project = project
        self._watch = watch
        self._held = ExitStack()
        self._turns = Turns(_AT_WORK, _UNDER_WAY)

    def __enter__(self) -> Here:
        with ExitStack() as held:
            publisher = held.enter_context(Publisher())
            lease = held.enter_context(Store.of(self._project).lease())
            pool = held.enter_context(Pool(Limits.of(self._project), litert=os.cpu_count() or 1))
            held.enter_context(_outputs_finished(pool, self._turns))
            self._facilities = Facilities(pool, lease, Surroundings(self._project.root), publish=publisher.publish)
            self._held = held.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._held.__exit__(kind, error, trace)

    def limit(self, under_way: int) -> None:
        """Lets no more children be under way at once than so many; before the first one begins."""
        self._turns.limit(min(under_way, _AT_WORK), min(under_way, _UNDER_WAY))

    def prepare(self, job: Job) -> None:
        """Starts the worker that a child needs; what is wrong with the child is said when its turn comes."""
        with suppress(RecipekitError):
            prepare(job, self._facilities)

    def launch(self, tasks: Iterator[Task], ended: Callable[[Outcome], None]) -> None:
        """Runs every task; see `Launcher`."""
        defects: list[Exception] = []

        def run(turn: Turn, task: Task) -> None:
            try:
                facilities = self._facilities._replace(waits=turn.waits)
                outcome = task.outcome(facilities, self._watch(task.number))
                if not (facilities.pool.closed and outcome.failure):  # it failed only because of the interruption
                    ended(outcome)
            except Exception as error:  # noqa: BLE001  raised again by the thread that waits
                defects.append(error)
            finally:
                turn.end()

        while not defects:
            turn = self._turns.begin()
            task = next(tasks, None)
            if task is None:
                turn.end()
                break
            Thread(
                target=run, args=(turn, task), daemon=True
            ).start()  # so that an interruption doesn't wait for its stage
        self._turns.wait_for_all()
        if defects:
            raise defects[0]


@contextmanager
def _outputs_finished(pool: Pool, turns: Turns) -> Iterator[None]:
    """When something stops the sweep, ends the workers and waits a moment for outputs that are being written."""
    try:
        yield
    except BaseException:
        pool.close()
        turns.wait_for_all(_FINISHING_SECONDS)
        raise
