"""The workers of one kind: a stage takes an idle one, or waits for one."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

from recipekit.errors import StageDied
from recipekit.pool.process import Worker


class Crew:
    """Up to `size` processes of a kind, each started when no other one is idle; threads may share them."""

    def __init__(self, kind: str, size: int) -> None:
        """Starts nothing yet."""
        self._kind = kind
        self._size = size
        self._places = threading.Semaphore(size)
        self._lock = threading.Lock()
        self._idle: list[Worker] = []
        self._all: set[Worker] = set()
        self._closed = False

    def warm(self) -> None:
        """Starts a first worker, if there is none."""
        with self._lock:
            if not self._all:
                self._idle.append(self._start())

    @contextmanager
    def worker(self) -> Iterator[Worker]:
        """A worker for one stage; waits while all of them are at work.

        Raises:
            StageDied: the crew was closed.
        """
        with self._places:
            worker = self._take()
            try:
                yield worker
            finally:
                self._give_back(worker)

    @contextmanager
    def quiet(self, taken: int) -> Iterator[None]:
        """Waits until no worker does anything, imports included, and keeps it so.

        Args:
            taken: how many of them the calling thread has already.
        """
        with ExitStack() as held:
            for _ in range(self._size - taken):
                held.enter_context(self._places)
            for worker in tuple(self._all):
                with suppress(EOFError, OSError):  # a worker that has ended doesn't disturb
                    worker.wait_until_ready()
            yield

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

    def _take(self) -> Worker:
        with self._lock:
            while self._idle:
                worker = self._idle.pop()
                if worker.alive:
                    return worker
                self._dismiss(worker)
            return self._start()

    def _give_back(self, worker: Worker) -> None:
        with self._lock:
            if worker.alive and not self._closed:
                self._idle.append(worker)
            else:
                self._dismiss(worker)

    def _start(self) -> Worker:
        if self._closed:
            raise StageDied("the workers were ended", fix="run again")
        worker = Worker(self._kind)
        self._all.add(worker)
        return worker

    def _dismiss(self, worker: Worker) -> None:
        self._all.discard(worker)
        worker.close()
