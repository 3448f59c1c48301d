"""Processor time of commands, which a busy machine lengthens far less than the time on a clock."""

from __future__ import annotations

import resource
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple


class Spent(NamedTuple):
    """What a command took, and what it said.

    Attributes:
        seconds: of a processor, at least; children that it waited for are part of it.
        out: what it printed, each time the same.
        err: what it printed as an error, the last time.
    """

    seconds: float
    out: str
    err: str


def spent_by(arguments: Sequence[str], folder: Path | None = None, times: int = 3, code: int = 0) -> Spent:
    """Runs `python ARGUMENTS...` several times.

    Args:
        arguments: of Python.
        folder: where it runs; None for here.
        times: how often.
        code: the exit code that it must have.
    """
    seconds, printed = [], set()
    for _ in range(times):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run([sys.executable, *arguments], cwd=folder, capture_output=True, text=True, check=False)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert done.returncode == code, done.stdout + done.stderr
        seconds.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
        printed.add(done.stdout)
    (out,) = printed
    return Spent(min(seconds), out, done.stderr)
