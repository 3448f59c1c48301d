"""Shows a count that another thread goes on with, until that is over."""

from __future__ import annotations

from threading import Event

from rich.console import Console

from recipekit.cli.display import display_on
from recipekit.cli.waiting import Count
from recipekit.contracts import Progress


def show(step: str, count: Count, over: Event, seconds: float) -> None:
    """Shows it on standard error.

    Args:
        step: what runs.
        count: how far it is.
        over: set when it has ended.
        seconds: between two looks.
    """
    display = display_on(Console(stderr=True))
    display.start(step)
    while not over.wait(seconds):
        display.update(step, Progress(done=count.done, total=count.total, unit=count.unit))
    display.stop()
