"""Locks that the system frees when their holder dies: one `flock` on a file of its own for each acquisition.

Each acquisition opens the file anew, so that threads exclude each other as processes do. A lock file may be unlinked by
whoever holds its lock: who waited for it notices that the name means another file now, or none, and starts over.

Plain `flock` rather than `filelock`: a waiter wakes at once instead of polling twenty times a second, readers share, an
acquisition costs 10 µs instead of 200, and a file system without locks is an error, never a silent second best.
"""

from __future__ import annotations

import errno
import fcntl
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from recipekit import fsio
from recipekit.errors import OutputFault

_UNSUPPORTED = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP}

_SIGNING_SECONDS = 0.2
"""How long a lock may be held without a name in it, before its holder is nobody in particular."""

_LONGEST_PAUSE_SECONDS = 0.004
"""Between two tries of one who waits for a limited time: what is locked so is held for milliseconds, and a lock that
nobody takes meanwhile keeps every waiter from his work."""


@contextmanager
def shared(path: Path) -> Iterator[None]:
    """Holds a lock together with others that share it, and waits for one who doesn't.

    Raises:
        OSError: the lock file can't be opened.
        OutputFault: the file system can't lock.
    """
    descriptor = _locked(path, fcntl.LOCK_SH)
    try:
        yield
    finally:
        os.close(descriptor)


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Holds a lock alone; raises what `shared` raises."""
    descriptor = acquire(path)
    try:
        yield
    finally:
        os.close(descriptor)


@contextmanager
def signed(path: Path, descriptor: int) -> Iterator[None]:
    """Holds an acquired lock with the holder's name in it, and lets go of it at the end.

    Raises:
        OutputFault: the file system refused.
    """
    try:
        with fsio.reported(path):
            sign(descriptor)
        yield
    finally:
        with fsio.reported(path):
            release(path, descriptor)


def acquire(path: Path) -> int:
    """Waits for a lock and returns the descriptor that holds it; raises what `shared` raises."""
    return _locked(path, fcntl.LOCK_EX)


def try_acquire(path: Path) -> int | None:
    """The descriptor that holds a lock, or None if somebody else does; raises what `shared` raises."""
    try:
        return _locked(path, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return None


def acquire_within(path: Path, seconds: float) -> int | None:
    """Waits so long for a lock, asking again and again; None if nobody has let go. Raises what `shared` raises."""
    end, pause = time.monotonic() + seconds, 0.001
    while (descriptor := try_acquire(path)) is None and time.monotonic() < end:
        time.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)
    return descriptor


def sign(descriptor: int) -> None:
    """Writes into a lock that is held who holds it."""
    name = f"process {os.getpid()} on {socket.gethostname()}".encode()
    os.truncate(descriptor, os.pwrite(descriptor, name, 0))


def holder(path: Path) -> str:
    """Who holds a lock, by his own account; whoever has just taken it gets a moment to write his name."""
    end = time.monotonic() + _SIGNING_SECONDS
    try:
        while not (name := path.read_text()) and time.monotonic() < end:
            time.sleep(0.001)
    except FileNotFoundError:
        return "another process"  # it has just let go
    return name or "another process"


def release(path: Path, descriptor: int) -> None:
    """Removes the file of a lock that this process holds alone, and lets go of it.

    Raises:
        OSError: the file can't be removed; the lock is free all the same.
    """
    try:
        path.unlink(missing_ok=True)
    finally:
        os.close(descriptor)


def _locked(path: Path, operation: int) -> int:
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            _flock(descriptor, operation, path)
            if _is(path, descriptor):
                return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _flock(descriptor: int, operation: int, path: Path) -> None:
    try:
        fcntl.flock(descriptor, operation)
    except OSError as error:
        if error.errno not in _UNSUPPORTED:
            raise
        raise OutputFault(
            f"the file system can't lock files: {error.strerror}",
            where=str(path),
            fix="put it on a local disk or on NFS 4 ([tool.recipekit] store or RECIPEKIT_STORE, and outputs)",
        ) from error


def _is(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False
