"""The workers of one kind: a stage takes an idle one, or waits for one."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress

from recipekit.errors import StageDied
from recipekit.pool.process import Worker
from recipekit.requirements import require

_NEEDED = {
    "tensorflow": ("tensorflow", "keras", "tf-keras", "numpy"),
    "litert": ("ai-edge-litert", "ai-edge-quantizer", "numpy"),
}
"""Distributions that the workers of a kind stand on."""


class Crew:
    """Up to `size` processes of a kind, each started when no other one is idle; threads may share them."""

    def __init__(self, kind: str, size: int, variables: Mapping[str, str], file_mib: float) -> None:
        """Starts nothing yet.

        Args:
            kind: of its processes.
            size: how many there may be.
            variables: their environment.
            file_mib: MiB of the largest file that they may write.
        """
        self._file_mib = file_mib
        self._kind = kind
        self._variables = variables
        self._free = size
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._waiting: list[int] = []
        self._has_ended_one = False
        self._idle: list[Worker] = []
        self._all: set[Worker] = set()
        self._closed = False

    def warm(self) -> None:
        """Starts a first worker, if there is none.

        Raises:
            EnvironmentFault: a package that it needs is missing or too old.
        """
        with self._lock:
            if not self._all:
                self._idle.append(self._start())

    @contextmanager
    def worker(self, rank: int = 0) -> Iterator[Worker]:
        """A worker for one stage; waits while all of them are at work.

        Args:
            rank: of those that wait, the one with the lowest rank goes first.

        Raises:
            StageDied: the crew was closed.
            EnvironmentFault: a package that the worker needs is missing or too old.
        """
        with self._changed:
            self._waiting.append(rank)
            try:
                self._changed.wait_for(lambda: self._closed or (self._may_take() and rank == min(self._waiting)))
            finally:
                self._waiting.remove(rank)
                self._changed.notify_all()  # it may have been the one that others let go first
            worker = self._take()
            self._free -= 1
        try:
            yield worker
        finally:
            with self._changed:
                self._free += 1
                self._has_ended_one = True
                self._give_back(worker)
                self._changed.notify_all()

    def wait_for_imports(self) -> None:
        """Waits until every worker, none of which may be at work, has imported what it needs."""
        for worker in tuple(self._all):
            with suppress(EOFError, OSError):  # a worker that has ended doesn't disturb
                worker.wait_until_ready()

    def pid(self) -> int | None:
        """Process id of an idle worker, None where there is none."""
        return next((worker.pid for worker in self._idle if worker.alive), None)

    def close(self) -> None:
        """Ends every worker, those at work too; no new one is started."""
        with self._lock:
            self._closed = True
            for worker in self._all:
                worker.close()
            self._all.clear()
            self._idle.clear()
            self._changed.notify_all()

    def _may_take(self) -> bool:
        """Whether a worker is idle, or one more may be started: not before the first one has ended a stage.

        A build begins with short stages while TensorFlow is imported beside them, which needs the processors.
        """
        return bool(self._idle) or not self._all or (self._free > 0 and self._has_ended_one)

    def _take(self) -> Worker:
        while self._idle:
            worker = self._idle.pop()
            if worker.alive:
                return worker
            self._dismiss(worker)
        return self._start()

    def _give_back(self, worker: Worker) -> None:
        if worker.alive and not self._closed:
            self._idle.append(worker)
        else:
            self._dismiss(worker)

    def _start(self) -> Worker:
        if self._closed:
            raise StageDied("the workers were ended", fix="run again")
        require(*_NEEDED[self._kind])
        worker = Worker(self._kind, self._variables, self._file_mib)
        self._all.add(worker)
        return worker

    def _dismiss(self, worker: Worker) -> None:
        self._all.discard(worker)
        worker.close()
