"""How long whole processes take, and how much memory their trees use at the peak.

Sampling the memory of a process tree costs time, so it is asked for in rounds whose seconds are not counted. This
module knows nothing of recipekit and of scripts.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import psutil

SAMPLING_SECONDS = 0.05
_LAST_LINES = 30
_RSS_UNIT = 1 if sys.platform == "darwin" else 1024  # of ru_maxrss, in bytes


class Command(NamedTuple):
    """A process to run: its arguments and its folder."""

    arguments: tuple[str, ...]
    folder: Path


class Usage(NamedTuple):
    """What commands took, run one after the other.

    Attributes:
        seconds: wall-clock time, summed.
        largest_mib: the largest resident set of any single process; never less than the measuring process has itself,
            from which a child starts out.
        tree_mib: the largest sum of the proportional set sizes (PSS) of a command and all its descendants, so that
            pages that they share count once; 0.0 where memory was not sampled.
    """

    seconds: float
    largest_mib: float
    tree_mib: float = 0.0


class CommandFailed(Exception):
    """A command that should have worked did not, so there is nothing to compare."""


def run(commands: Sequence[Command], log: Path, *, sample_memory: bool = False) -> Usage:
    """Runs commands one after the other and measures them together.

    Args:
        commands: what to run.
        log: gets what they print.
        sample_memory: whether `tree_mib` is measured.

    Raises:
        CommandFailed: a command didn't exit with 0.
    """
    usages = [_run_one(command, log, sample_memory) for command in commands]
    return Usage(
        sum(usage.seconds for usage in usages),
        max(usage.largest_mib for usage in usages),
        max(usage.tree_mib for usage in usages),
    )


def _run_one(command: Command, log: Path, sample_memory: bool) -> Usage:
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("RECIPEKIT_") and name != "PYTHONDONTWRITEBYTECODE"  # an installer leaves byte code
    }
    with log.open("w") as output:
        started = time.perf_counter()
        process = subprocess.Popen(
            command.arguments,
            cwd=command.folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        with _tree_peak(process.pid, sample_memory) as peak:
            _, status, resources = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)  # or Popen would wait for it once more
    if process.returncode:
        words = "\n".join(log.read_text(errors="replace").splitlines()[-_LAST_LINES:])
        raise CommandFailed(f"exit code {process.returncode} of {' '.join(command.arguments)}\n{words}")
    # The children that a process has waited for are in its own figure.
    return Usage(seconds, resources.ru_maxrss * _RSS_UNIT / 2**20, peak.mib)


class Peak:
    """The largest of the values that it is told."""

    def __init__(self) -> None:
        self.mib = 0.0

    def note(self, mib: float) -> None:
        """Takes one more value."""
        self.mib = max(self.mib, mib)


@contextmanager
def _tree_peak(pid: int, wanted: bool) -> Iterator[Peak]:
    peak = Peak()
    if not wanted:
        yield peak
        return
    ended = threading.Event()
    sampler = threading.Thread(target=_sample, args=(pid, ended, peak), daemon=True)
    sampler.start()
    try:
        yield peak
    finally:
        ended.set()
        sampler.join()


def _sample(pid: int, ended: threading.Event, peak: Peak) -> None:
    while not ended.wait(SAMPLING_SECONDS):
        peak.note(tree_mib(pid))


def tree_mib(pid: int) -> float:
    """Memory of a process and its descendants now, pages that they share counted once; 0.0 if it has ended."""
    try:
        parent = psutil.Process(pid)
        members = [parent, *parent.children(recursive=True)]
    except psutil.NoSuchProcess:
        return 0.0
    return sum(map(_own_bytes, members)) / 2**20


def _own_bytes(process: psutil.Process) -> int:
    try:
        memory = process.memory_full_info()
    except psutil.Error:  # it has ended since it was listed
        return 0
    return int(getattr(memory, "pss", memory.uss))  # macOS knows no PSS
