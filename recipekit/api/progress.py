"""How a caller follows a build: events to a function of theirs, or lines on standard error, or nothing."""

from __future__ import annotations

import sys
from collections.abc import Callable
from threading import Lock
from typing import Literal, NamedTuple

from recipekit.contracts import Progress as Reached
from recipekit.contracts import Record
from recipekit.outcome import Outcome


class Progress(Record, frozen=True, kw_only=True):
    """Something that has happened in a build.

    Attributes:
        kind: `started`, `progress`, `finished` or `found` of a stage, `warning`, or `ended` of a sweep's child.
        stage: of `started` to `found`, its name; else empty.
        seconds: what the stage or the child took; None where it still runs.
        text: what is to be said.
        child: the child's number; None outside of a sweep.
    """

    kind: Literal["started", "progress", "finished", "found", "warning", "ended"]
    stage: str = ""
    seconds: float | None = None
    text: str = ""
    child: int | None = None

    def __str__(self) -> str:
        child = "" if self.child is None else f"[{self.child}] "
        seconds = "" if self.seconds is None else f"{self.seconds:.2f} s"
        return child + "  ".join(filter(None, (self.kind, self.stage, seconds, self.text)))


_PRINTED = {True: {"finished", "found", "warning"}, False: {"ended", "warning"}}
"""Kinds of event that are printed of a single run (True), and of a sweep's child."""

_one_at_a_time = Lock()

Follow = bool | Callable[[Progress], None]
"""True prints what has ended, False nothing; a function gets every event, from one thread at a time."""


class Follower(NamedTuple):
    """A watcher that turns what it is told into events; picklable, if the function is, for launchers' processes.

    Attributes:
        follow: what the caller asked for.
        child: the number of the child that is followed; None outside of a sweep.
    """

    follow: Follow
    child: int | None = None

    def started(self, step: str) -> None:
        """A step begins."""
        self._tell(Progress(kind="started", stage=step, child=self.child))

    def finished(self, step: str, seconds: float, note: str) -> None:
        """A step has ended well."""
        self._tell(Progress(kind="finished", stage=step, seconds=seconds, text=note, child=self.child))

    def progress(self, step: str, progress: Reached) -> None:
        """A step that runs has come so far."""
        self._tell(Progress(kind="progress", stage=step, text=str(progress), child=self.child))

    def found(self, step: str, seconds: float, note: str) -> None:
        """The result of a step was there."""
        self._tell(Progress(kind="found", stage=step, seconds=seconds, text=note, child=self.child))

    def warning(self, text: str) -> None:
        """Something is allowed, but probably not meant."""
        self._tell(Progress(kind="warning", text=text, child=self.child))

    def ended(self, outcome: Outcome) -> None:
        """A child of a sweep has ended."""
        text = " ".join((outcome.status, outcome.recipe, *outcome.overrides))
        self._tell(Progress(kind="ended", seconds=outcome.seconds, text=text, child=self.child))

    def _tell(self, event: Progress) -> None:
        if not isinstance(self.follow, bool):
            with _one_at_a_time:
                self.follow(event)
        elif self.follow and event.kind in _PRINTED[self.child is None]:
            sys.stderr.write(f"{event}\n")
