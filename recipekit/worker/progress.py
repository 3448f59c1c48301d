"""How far the stage at work has come: a few times a second in a file that the parent looks at meanwhile.

A worker has one stage at a time, so whatever counts something may tell it here without knowing the stage. It costs a
look at the clock for each unit, some 0.1 µs, and never more than a few small files a second.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Generic, TypeVar

import msgspec

from recipekit.contracts import Progress

FILE = "progress.json"
"""Its name is known to the parent's pool, too."""

_SECONDS = 0.25
"""Between two files; what a stage does in its first moments is told by no file at all."""

Item = TypeVar("Item")


class _Desk:
    """Where the stage at work tells, and when it may do so next."""

    def __init__(self) -> None:
        self._file: Path | None = None
        self._due = 0.0

    def open(self, file: Path | None) -> None:
        self._file = file
        self._due = time.monotonic() + _SECONDS

    def tell(self, done: int, total: int | None, unit: str, note: str) -> None:
        now = time.monotonic()
        if self._file is None or now < self._due:
            return
        self._due = now + _SECONDS
        fresh = self._file.with_name(f"{FILE}.part")
        with suppress(OSError):  # a full disk is found out by what matters
            fresh.write_bytes(msgspec.json.encode(Progress(done=done, total=total, unit=unit, note=note)))
            fresh.replace(self._file)


_desk = _Desk()


@contextmanager
def told_in(folder: Path) -> Iterator[None]:
    """Lets what is told meanwhile be of one stage.

    Args:
        folder: of the stage, the one that holds its request.
    """
    _desk.open(folder / FILE)
    try:
        yield
    finally:
        _desk.open(None)


def tell(done: int, total: int | None, unit: str, note: str = "") -> None:
    """Tells how many units of how many are behind the stage at work; nothing where none is at work.

    Args:
        done: how many are behind it.
        total: how many there are; None where nobody knows.
        unit: what is counted, in the plural.
        note: what else there is to say, on the same line.
    """
    _desk.tell(done, total, unit, note)


class Counted(Generic[Item]):
    """An iterable that tells how far its reader is; read again, it counts anew."""

    def __init__(self, items: Iterable[Item], total: int | None, unit: str, note: str = "") -> None:
        """Takes what is counted; the rest as `tell` does."""
        self._items = items
        self._total = total
        self._unit = unit
        self._note = note

    def __iter__(self) -> Iterator[Item]:
        for done, item in enumerate(self._items):
            _desk.tell(done, self._total, self._unit, self._note)
            yield item
