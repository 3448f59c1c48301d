"""A run as a process that can be sent a signal in the middle of a phase."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psutil

from tests.commands import Running, begun

ROOT = Path(__file__).parents[2]


@contextmanager
def started(
    project: Path, *arguments: str, variables: Mapping[str, str] | None = None, tensorflow: bool = False
) -> Iterator[Running]:
    """`recipekit run` in a process group of its own, as soon as it hears signals.

    Args:
        project: its folder.
        arguments: of the command.
        variables: of its environment, beside those of this process.
        tensorflow: whether its workers begin with TensorFlow imported; see `tests/forked_workers.py`.
    """
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **(variables or {})}
    with begun(project, ["run", *arguments], environment, tensorflow=tensorflow) as process:
        wait_until(lambda: _hears(process), process)
        yield process


def _hears(process: Running) -> bool:
    """Whether it has begun to catch SIGTERM, as the command does first of all, or has ended already."""
    try:
        status = Path(f"/proc/{process.pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return True
    caught = next(line for line in status.splitlines() if line.startswith("SigCgt:"))
    return bool(int(caught.partition(":")[2], 16) >> (signal.SIGTERM - 1) & 1)


def wait_until(what: Callable[[], object], process: Running, seconds: float = 120) -> None:
    """Waits for a condition while the process runs, and leaves it nine tenths of a processor at least."""
    deadline = time.monotonic() + seconds
    while True:
        asked = time.thread_time()
        if what():
            return
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline, "it never came to that"
        time.sleep(max(0.001, 9 * (time.thread_time() - asked)))


def in_stage(project: Path, stage: str) -> Callable[[], bool]:
    """Whether a stage runs right now."""

    def runs() -> bool:
        folders = (project / "outputs" / ".work").glob(f"*/*/*-{stage}")
        return any((it / "request.json").is_file() and not (it / "response.json").exists() for it in folders)

    return runs


def stopped(process: Running) -> list[psutil.Process]:
    """Its workers that stand still at the beginning of the stage that `HELD_STAGE` names, which is short."""
    return [it for it in family(process) if _status(it) == psutil.STATUS_STOPPED]


def family(process: Running) -> list[psutil.Process]:
    """Every process that it has started, and they."""
    return psutil.Process(process.pid).children(recursive=True)


def living(processes: list[psutil.Process]) -> list[psutil.Process]:
    """Those that still run."""
    return [it for it in processes if not has_ended(it)]


def has_ended(process: psutil.Process) -> bool:
    """Whether a process runs no more, whoever has yet to hear of its end."""
    return not process.is_running() or _status(process) in {psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD}


def _status(process: psutil.Process) -> str:
    try:
        return str(process.status())
    except psutil.NoSuchProcess:  # meanwhile
        return psutil.STATUS_DEAD


def all_ended(process: Running, children: list[psutil.Process]) -> tuple[str, str]:
    """Waits for a command and for all that it has started, as whoever reads its pipes does; what it has printed."""
    printed = process.communicate(timeout=60)
    deadline = time.monotonic() + 10
    while living(children) and time.monotonic() < deadline:
        time.sleep(0.005)
    return printed
