"""A run as a process that can be sent a signal in the middle of a phase."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psutil

ROOT = Path(__file__).parents[2]

_COMMAND = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
from recipekit.cli import main
sys.exit(main())
"""
"""The command; whoever runs the tests in the background of a shell has it ignore Ctrl-C."""


@contextmanager
def started(
    project: Path, *arguments: str, variables: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[str]]:
    """`recipekit run` in a process group of its own, which hears Ctrl-C even where this process was told not to.

    Args:
        project: its folder.
        arguments: of the command.
        variables: of its environment, beside those of this process.
    """
    process = subprocess.Popen(
        [sys.executable, "-c", _COMMAND, "run", *arguments],
        cwd=project,
        env={**os.environ, "PYTHONPATH": str(ROOT), **(variables or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        wait_until(lambda: _hears(process), process)
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def _hears(process: subprocess.Popen[str]) -> bool:
    """Whether it has begun to catch SIGTERM, as the command does first of all."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    caught = next(line for line in status.splitlines() if line.startswith("SigCgt:"))
    return bool(int(caught.partition(":")[2], 16) >> (signal.SIGTERM - 1) & 1)


def wait_until(what: Callable[[], object], process: subprocess.Popen[str], seconds: float = 120) -> None:
    """Waits for a condition while the process runs."""
    deadline = time.monotonic() + seconds
    while not what():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline, "it never came to that"
        time.sleep(0.001)


def in_stage(project: Path, stage: str) -> Callable[[], bool]:
    """Whether a stage runs right now."""

    def runs() -> bool:
        folders = (project / "outputs" / ".work").glob(f"*/*/*-{stage}")
        return any((it / "request.json").is_file() and not (it / "response.json").exists() for it in folders)

    return runs


def family(process: subprocess.Popen[str]) -> list[psutil.Process]:
    """Every process that it has started, and they."""
    return psutil.Process(process.pid).children(recursive=True)


def living(processes: list[psutil.Process]) -> list[psutil.Process]:
    """Those that still run."""
    return [it for it in processes if it.is_running() and it.status() != psutil.STATUS_ZOMBIE]
