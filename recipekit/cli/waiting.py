"""Progress of verbs that are mostly over before anybody wonders: shown after a second, and imported no sooner.

What shows it takes longer to import than most of these verbs to run.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import Event, Thread
from typing import Any, TypeVar

_PATIENCE = 1.0
_SECONDS = 0.2
"""Between two looks at how far it is."""

Item = TypeVar("Item")


class Count:
    """How far a verb is; counted by one thread and read by another."""

    def __init__(self, unit: str) -> None:
        self.done = 0
        self.total: int | None = None
        self.unit = unit

    def each(self, items: Sequence[Item]) -> Iterator[Item]:
        """Each of some more items; one is behind when the next is asked for."""
        self.total = (self.total or 0) + len(items)
        for item in items:
            yield item
            self.done += 1


@contextmanager
def waited_for(step: str, unit: str = "") -> Iterator[Count]:
    """Shows on standard error, after a second, that something runs, for how long, and how far it is.

    Args:
        step: what runs.
        unit: what is counted, in the plural.
    """
    count, over = Count(unit), Event()
    thread = Thread(target=_show, args=(step, count, over), daemon=True)
    thread.start()
    try:
        yield count
    finally:
        over.set()
        thread.join()


def counted(step: str, items: Sequence[Item], unit: str) -> Iterator[Item]:
    """Each item, while it is shown how many of them are behind."""
    with waited_for(step, unit) as count:
        yield from count.each(items)


def _show(step: str, count: Count, over: Event) -> None:
    if over.wait(_PATIENCE):
        return
    moving: Any = importlib.import_module("recipekit.cli.moving")
    moving.show(step, count, over, _SECONDS)
