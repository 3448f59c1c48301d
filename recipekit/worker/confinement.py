"""What the worker process may not do, whatever code or model it runs: set once, before anything is imported.

The parent watches over time, memory and processes. Here is what the system itself enforces.
"""

from __future__ import annotations

import errno
import fcntl
import os
import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager

_MIB = 2**20
_READING_SECONDS = 3.0


def confine(file_mib: int) -> None:
    """Leaves no core dumps, whatever crashes, and bounds the size of files.

    Args:
        file_mib: MiB of the largest file that this process and those that it starts may write.
    """
    _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    largest = file_mib * _MIB
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest if most == resource.RLIM_INFINITY else min(largest, most), most))


def end_with(lifeline: int) -> bool:
    """Lets the system end this process's whole group once a pipe closes, even while native code goes round in circles.

    Args:
        lifeline: the reading end of the pipe.

    Returns:
        Whether this system can do that; else the process must wait for the pipe itself.
    """
    choose_signal = getattr(fcntl, "F_SETSIG", None)  # Linux
    if choose_signal is None:
        return False
    fcntl.fcntl(lifeline, fcntl.F_SETOWN, -os.getpgrp())
    fcntl.fcntl(lifeline, choose_signal, signal.SIGKILL)
    fcntl.fcntl(lifeline, fcntl.F_SETFL, fcntl.fcntl(lifeline, fcntl.F_GETFL) | os.O_ASYNC)
    return True


@contextmanager
def no_endless_reading() -> Iterator[None]:
    """Ends the process by SIGPROF when what stands inside takes 3 s of processor time: for native readers of metadata.

    A damaged file can send them round in circles, where no exception and no thread of Python gets a turn. Honest files
    take milliseconds, and waiting for a slow disk doesn't count.
    """
    signal.setitimer(signal.ITIMER_PROF, _READING_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def limit_hit(error: BaseException | None) -> tuple[str, str] | None:
    """What limit an exception tells of, itself or one behind it, and how it is raised; None where it is another.

    TensorFlow gives the system's words in exceptions of its own.
    """
    while error is not None:
        if getattr(error, "errno", None) == errno.EFBIG or "File too large" in str(error):
            largest = resource.getrlimit(resource.RLIMIT_FSIZE)[0] // _MIB
            return f"a file grew beyond the {largest} MiB allowed", _raise("file_limit_mib")
        if isinstance(error, MemoryError):
            return f"more memory was asked for than there is: {error}", "use smaller inputs, or a larger machine"
        error = error.__cause__ or error.__context__
    return None


def _raise(setting: str) -> str:
    return f"raise `{setting}` in [tool.recipekit] of pyproject.toml"
