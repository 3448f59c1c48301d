"""Runs a sweep's children by a launcher plugin of Hydra, such as joblib, and makes it keep the promises of `Launcher`.

Such a launcher takes all children at once, and many of them lose every result when one process is killed. So children
leave traces in a folder. When the launcher has given up, those that never began are given to it again together; those
that were under way are given to it one at a time, to find the one that ends its process.
"""

from __future__ import annotations

import pickle
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from types import TracebackType

from recipekit import fsio
from recipekit.compose.hydra_launcher import HydraLauncher
from recipekit.errors import ChildLost
from recipekit.launching.task import RESUME_SWEEP, Task
from recipekit.launching.traces import Traces
from recipekit.outcome import Outcome

_PAUSE_SECONDS = 0.2


class ByHydra:
    """Runs children by a plugin of Hydra's."""

    def __init__(self, plugin: HydraLauncher, folder: Path) -> None:
        """Starts nothing yet.

        Args:
            plugin: the launcher.
            folder: where the children's processes find what they shall do; it is made, and goes with the block.
        """
        self._plugin = plugin
        self._traces = Traces(folder)
        self._awaited: set[int] = set()

    def __enter__(self) -> ByHydra:
        with fsio.reported(self._traces.folder):
            if self._traces.folder.exists():  # left by a driver of the same sweep that was killed
                fsio.remove_tree(self._traces.folder)
            self._traces.folder.mkdir()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        shutil.rmtree(
            self._traces.folder, ignore_errors=True
        )  # a child of a launcher that gave up may still write there

    def launch(self, tasks: Iterator[Task], ended: Callable[[Outcome], None]) -> None:
        """Runs every task; see `Launcher`."""
        under_way: list[int] = []
        waiting = [self._put(task) for task in tasks]
        while waiting:
            why = self._launched(waiting, ended)
            left = [number for number in waiting if number in self._awaited]
            waiting = [number for number in left if not self._traces.has_begun(number)]
            under_way += [number for number in left if number not in waiting]
            if len(waiting) == len(left):
                break  # it doesn't begin any of them
        for number in waiting:
            ended(self._lost(number, why, 0.0))
        for number in under_way:
            started = time.monotonic()
            why = self._launched([number], ended)
            if number in self._awaited:
                ended(self._lost(number, why, time.monotonic() - started))

    def _put(self, task: Task) -> int:
        """Puts a task where its process finds it."""
        with fsio.reported(self._traces.folder):
            _file(self._traces, task.number).write_bytes(pickle.dumps(task))
        self._awaited.add(task.number)
        return task.number

    def _launched(self, numbers: Sequence[int], ended: Callable[[Outcome], None]) -> str:
        """Has the plugin run some children, told as they end; why it has given up, empty where it hasn't."""
        over, why = Event(), "it reports no result"
        with ThreadPoolExecutor(1) as aside:
            collecting = aside.submit(self._collect, over, ended)
            try:
                self._plugin.launch(numbers, _Child(self._traces))
            except Exception as error:  # noqa: BLE001  a launcher is foreign code
                why = f"{type(error).__name__}: {str(error).strip()}".partition("\n")[0]
            finally:
                over.set()
            collecting.result()
        return why

    def _collect(self, over: Event, ended: Callable[[Outcome], None]) -> None:
        last = False
        while not last:
            last = over.wait(_PAUSE_SECONDS)
            for outcome in self._traces.arrivals(self._awaited):
                self._awaited.discard(outcome.number)
                _file(self._traces, outcome.number).unlink(missing_ok=True)
                ended(outcome)

    def _lost(self, number: int, why: str, seconds: float) -> Outcome:
        task = _task(self._traces, number)
        fix = f"give it more memory or time; {RESUME_SWEEP}"
        return task.failed(ChildLost(f"the launcher has lost it: {why}", where="hydra/launcher", fix=fix), seconds)


class _Child:
    """Carries out a child in the process that the plugin has chosen for it."""

    def __init__(self, traces: Traces) -> None:
        self._traces = traces

    def __call__(self, number: int) -> None:
        task, started = _task(self._traces, number), time.monotonic()
        try:
            self._traces.carry_out(task)
        except Exception as error:  # noqa: BLE001  the edge of the process: a defect is one child's, not the sweep's
            self._traces.end(task.defective(error, time.monotonic() - started))


def _file(traces: Traces, number: int) -> Path:
    return traces.folder / f"{number}.task"


def _task(traces: Traces, number: int) -> Task:
    task: Task = pickle.loads(_file(traces, number).read_bytes())  # noqa: S301  put there by `ByHydra`
    return task
