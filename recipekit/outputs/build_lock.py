"""One process a build: whoever asks for the same build key waits, and is told for whom."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from recipekit import fsio
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
    lock = FileLock(folder / f"{build_key}.lock")
    holder = folder / f"{build_key}.holder"
    with fsio.reported(folder):
        fsio.make_folders(folder)
        try:
            lock.acquire(blocking=False)
        except Timeout:
            waiting(f"{_named(holder)} builds the same output; waiting for it")
            _wait(lock, holder, timeout_seconds)
    try:
        with fsio.reported(holder):
            holder.write_text(f"process {os.getpid()} on {socket.gethostname()}")
        yield
    finally:
        with fsio.reported(holder):
            holder.unlink(missing_ok=True)
            lock.release()


def _wait(lock: FileLock, holder: Path, timeout_seconds: float | None) -> None:
    try:
        lock.acquire(timeout=-1 if timeout_seconds is None else timeout_seconds)
    except Timeout as error:
        raise OutputFault(
            f"{_named(holder)} still builds the same output after {timeout_seconds:g} seconds",
            where=lock.lock_file,
            fix="wait for that process, or end it",
        ) from error


def _named(holder: Path) -> str:
    try:
        return holder.read_text() or "another process"
    except FileNotFoundError:
        return "another process"  # it has the lock and is about to write its name
