"""A lock for each build key: a second process that builds the same output waits, and is told for whom."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from recipekit import fsio, locks
from recipekit.errors import OutputFault


@contextmanager
def hold(folder: Path, build_key: str, waiting: Callable[[str], None], timeout_seconds: float | None) -> Iterator[None]:
    """Holds the lock of a build key; the system frees it when the process dies.

    Args:
        folder: where lock files lie; it is made where it is missing.
        build_key: names the lock.
        waiting: is called once with a message if another process holds the lock.
        timeout_seconds: how long to wait for it; None waits as long as it takes.

    Raises:
        OutputFault: the wait took too long, or the file system refused.
    """
    path = folder / f"{build_key}.lock"
    with fsio.reported(path):
        fsio.make_folders(folder)
        descriptor = locks.try_acquire(path)
        if descriptor is None:
            waiting(f"{locks.holder(path)} builds the same output; waiting for it")
            descriptor = _wait(path, timeout_seconds)
    with locks.signed(path, descriptor):
        yield


def _wait(path: Path, timeout_seconds: float | None) -> int:
    if timeout_seconds is None:
        return locks.acquire(path)
    descriptor = locks.acquire_within(path, timeout_seconds)
    if descriptor is None:
        raise OutputFault(
            f"{locks.holder(path)} still builds the same output after {timeout_seconds:g} seconds",
            where=str(path),
            fix="wait for that process, or end it",
        )
    return descriptor
