"""Steps that run, shown while they do: a moving line each on a terminal, now and then a plain line in a log.

A log gets a line of a step after ten seconds, after thirty more, and one each minute from there on, so that nobody
takes the job for dead and nobody drowns in it. What has ended is shown by others.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from threading import Lock, Timer
from typing import Protocol

from rich.console import Console, RenderableType
from rich.progress import BarColumn, ProgressColumn, SpinnerColumn, Task, TaskID, TextColumn
from rich.progress import Progress as Rows
from rich.table import Column
from rich.text import Text

from recipekit.cli.pace import Pace
from recipekit.contracts import Progress

_WAITS = (10.0, 30.0, 60.0)
"""Seconds before each line of a step in a log; the last one from there on."""

_ROOM_FOR_A_BAR = 72
"""Columns of a terminal that shows bars."""


class Display(Protocol):
    """Shows steps that run; several threads may tell it."""

    def start(self, step: str) -> None:
        """A step begins, maybe while others run."""

    def update(self, step: str, progress: Progress) -> None:
        """A step that runs has come so far."""

    def end(self, step: str) -> None:
        """A step runs no more."""

    def stop(self) -> None:
        """No step runs any more, however it ended."""


def display_on(console: Console) -> Display:
    """The display that suits a console."""
    return MovingDisplay(console) if _moves(console) else CalmDisplay(console)


def _moves(console: Console) -> bool:
    """Whether lines may be written over: on a terminal that can, unless it is one of a CI job."""
    file = console.file
    is_ci = os.environ.get("CI", "").lower() not in {"", "0", "false"}
    return file.isatty() and console.is_interactive and not console.is_dumb_terminal and not is_ci


class MovingDisplay:
    """A line for each step at the lower end of the terminal; nothing of it stays."""

    def __init__(self, console: Console) -> None:
        columns = [SpinnerColumn(), TextColumn("{task.description}", markup=False, table_column=Column(no_wrap=True))]
        bar = [_Bar(bar_width=20)] if console.width >= _ROOM_FOR_A_BAR else []
        self._rows = Rows(
            *columns,
            *bar,
            _Words(table_column=Column(no_wrap=True, overflow="ellipsis", ratio=1)),
            console=console,
            transient=True,
            expand=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._lock = Lock()
        self._tasks: dict[str, TaskID] = {}

    def start(self, step: str) -> None:
        """A step begins, maybe while others run."""
        with self._lock:
            self._tasks[step] = self._rows.add_task(step, total=None, pace=Pace(time.monotonic()))
            self._rows.start()

    def update(self, step: str, progress: Progress) -> None:
        """A step that runs has come so far."""
        with self._lock:
            if step in self._tasks:
                task = self._tasks[step]
                self._rows.tasks[self._rows.task_ids.index(task)].fields["pace"].tell(progress, time.monotonic())
                self._rows.update(task, total=progress.total, completed=progress.done)

    def end(self, step: str) -> None:
        """A step runs no more."""
        with self._lock:
            if step in self._tasks:
                self._rows.remove_task(self._tasks.pop(step))
            if not self._tasks:
                self._rows.stop()

    def stop(self) -> None:
        """No step runs any more, however it ended."""
        for step in tuple(self._tasks):
            self.end(step)


class CalmDisplay:
    """A plain line of a step that takes long, now and then."""

    def __init__(self, console: Console, waits: tuple[float, ...] = _WAITS) -> None:
        self._console = console
        self._waits = waits
        self._lock = Lock()
        self._paces: dict[str, Pace] = {}
        self._timers: dict[str, Timer] = {}

    def start(self, step: str) -> None:
        """A step begins, maybe while others run."""
        with self._lock:
            self._paces[step] = Pace(time.monotonic())
            self._wait(step, 0)

    def update(self, step: str, progress: Progress) -> None:
        """A step that runs has come so far."""
        with self._lock:
            if step in self._paces:
                self._paces[step].tell(progress, time.monotonic())

    def end(self, step: str) -> None:
        """A step runs no more."""
        with self._lock:
            self._paces.pop(step, None)
            timer = self._timers.pop(step, None)
        if timer is not None:
            timer.cancel()

    def stop(self) -> None:
        """No step runs any more, however it ended."""
        for step in tuple(self._timers):
            self.end(step)

    def _wait(self, step: str, times: int) -> None:
        timer = Timer(self._waits[min(times, len(self._waits) - 1)], self._tell, (step, times))
        timer.daemon = True
        self._timers[step] = timer
        timer.start()

    def _tell(self, step: str, times: int) -> None:
        with self._lock:
            if step not in self._paces:
                return
            words = self._paces[step].words(time.monotonic())
            self._console.print(f"  runs  {step:<18} {words}", highlight=False, markup=False, soft_wrap=True)
            self._wait(step, times + 1)


class _Bar(BarColumn):
    """A bar where there is a total, else nothing."""

    def render(self, task: Task) -> RenderableType:  # type: ignore[override]  # rich's own columns return less than any
        return Text() if task.total is None else super().render(task)


class _Words(ProgressColumn):
    """What is known of a step, by its pace."""

    max_refresh = 0.2

    def render(self, task: Task) -> Text:
        words: Callable[[float], str] = task.fields["pace"].words
        return Text(words(time.monotonic()), overflow="ellipsis")
