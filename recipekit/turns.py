"""How many builds of one process may run at the same time.

Python's interpreter lock lets one thread work at a time, and many threads that pass it around take twice as long for
the same work. So a new build begins only while few others are at work. A build that waits, for a worker or for another
build, doesn't count as being at work, so many can be under way. A build that has begun is never held up. This module
knows nothing of what builds do.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition, Lock


class Turns:
    """How many builds have begun and not ended, and how many of them are at work."""

    def __init__(self, at_work: int, under_way: int) -> None:
        """Nothing has begun.

        Args:
            at_work: how many may be at work when another one begins.
            under_way: how many may have begun and not ended.
        """
        self._most_at_work = at_work
        self._most_under_way = under_way
        self._at_work = 0
        self._under_way = 0
        self._changed = Condition()

    def limit(self, at_work: int, under_way: int) -> None:
        """Changes how many builds may be at work and under way; those that have begun go on."""
        with self._changed:
            self._most_at_work, self._most_under_way = at_work, under_way
            self._changed.notify_all()

    def begin(self) -> Turn:
        """Waits until another build may begin."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._at_work < self._most_at_work and self._under_way < self._most_under_way
            )
            self._at_work += 1
            self._under_way += 1
        return Turn(self)

    def wait_for_all(self, seconds: float | None = None) -> None:
        """Waits until every build that has begun has ended, so many seconds at most."""
        with self._changed:
            self._changed.wait_for(lambda: self._under_way == 0, seconds)

    def _count(self, *, at_work: int, under_way: int = 0) -> None:
        with self._changed:
            self._at_work += at_work
            self._under_way += under_way
            if at_work < 0 or under_way < 0:  # else nobody may begin who couldn't before
                self._changed.notify_all()


class Turn:
    """One build's turn; several threads of it may wait at once."""

    def __init__(self, turns: Turns) -> None:
        self._turns = turns
        self._waiting = 0
        self._guard = Lock()

    @contextmanager
    def waits(self) -> Iterator[None]:
        """Entered by a thread of the build that does nothing but wait."""
        self._wait(1)
        try:
            yield
        finally:
            self._wait(-1)

    def end(self) -> None:
        """The build has ended."""
        self._turns._count(at_work=-1, under_way=-1)

    def _wait(self, change: int) -> None:
        with self._guard:
            before = bool(self._waiting)
            self._waiting += change
            self._turns._count(at_work=before - bool(self._waiting))
