"""The lock of a sweep: one process at a time drives it, and a second one is told who does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from recipekit import fsio, locks
from recipekit.errors import OutputFault

_LOCK = ".lock"


@contextmanager
def driven(folder: Path) -> Iterator[None]:
    """Keeps a sweep to this process; the system frees it when the process dies, whichever machine it is on.

    Args:
        folder: of the sweep. It may be removed meanwhile.

    Raises:
        OutputFault: another process drives it, or the file system refused or can't lock.
    """
    path = folder / _LOCK
    with fsio.reported(path):
        descriptor = locks.try_acquire(path)
        if descriptor is None:
            raise OutputFault(
                f"{locks.holder(path)} is still running this sweep",
                where=str(folder),
                fix="wait until that process has ended, or end it; what it has built is kept",
            )
    with locks.signed(path, descriptor):
        yield
