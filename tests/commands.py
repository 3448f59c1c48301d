"""`recipekit` as a process of its own, forked from a server that has imported the command line once.

A process that begins with nothing imports for a second before it does anything. A second server has imported
TensorFlow, too, for commands that start workers, and for scripts.
"""

from __future__ import annotations

import multiprocessing
import os
import resource
import runpy
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from multiprocessing import forkserver
from multiprocessing.context import ForkServerProcess
from multiprocessing.forkserver import ForkServer
from multiprocessing.process import BaseProcess
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import pytest

from recipekit.cli import main
from tests.forked_workers import fork_workers

_PRELOADED = [
    "recipekit.cli.run_sweep",
    "recipekit.cli.run",
    "recipekit.cli.validate",
    "recipekit.cli.cache",
    "tests.commands",
    "tests.command_server",
]
_WITH_TENSORFLOW = ForkServer()
_WITH_TENSORFLOW.set_forkserver_preload([*_PRELOADED, "tests.tensorflow_server"])
_HASH_SEED = "PYTHONHASHSEED"


class Done(NamedTuple):
    """A command that has ended.

    Attributes:
        code: its exit code, negative for a signal.
        out: what it printed.
        err: what it printed as an error.
        seconds: how long it took.
        peak_mib: how much memory it had at most; the server that it was forked from has had 90.
    """

    code: int
    out: str
    err: str
    seconds: float
    peak_mib: float


class Running:
    """A command that may still run; its methods are those of `subprocess.Popen`.

    Attributes:
        pid: its process id.
    """

    def __init__(self, process: BaseProcess, prints: tuple[Path, Path]) -> None:
        assert process.pid is not None
        self.pid = process.pid
        self._process = process
        self._prints = prints

    @property
    def returncode(self) -> int | Any:
        """Its exit code, negative for a signal; None while it runs."""
        return self._process.exitcode

    def poll(self) -> int | None:
        """Its exit code; None while it runs."""
        return self._process.exitcode

    def send_signal(self, number: int) -> None:
        """Sends a signal, to this process alone."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """Sends SIGKILL."""
        self.send_signal(signal.SIGKILL)

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        """Waits for its end; what it has printed, and what as an error.

        Raises:
            TimeoutExpired: it runs longer than so many seconds.
        """
        self._process.join(timeout)
        if self.poll() is None:
            raise subprocess.TimeoutExpired("recipekit", timeout or 0)
        out, err = (path.read_text() for path in self._prints)
        return out, err


class _ForkedWithTensorFlow(ForkServerProcess):
    """A process of the second server, whose strings have the hashes of a worker's."""

    @staticmethod
    def _Popen(process: BaseProcess) -> Any:  # noqa: N802  the name is multiprocessing's
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv(_HASH_SEED, "0")
            patch.setattr(forkserver, "connect_to_new_process", _WITH_TENSORFLOW.connect_to_new_process)
            return ForkServerProcess._Popen(process)


@contextmanager
def begun(
    folder: Path,
    arguments: Sequence[str],
    variables: Mapping[str, str],
    peak: Any = None,
    *,
    tensorflow: bool = False,
) -> Iterator[Running]:
    """`recipekit` in a folder as a process in a session of its own, which is ended with the block.

    Args:
        folder: where it runs.
        arguments: of the command.
        variables: its whole environment.
        peak: gets the MiB of memory that it has had at most.
        tensorflow: whether its workers begin with TensorFlow imported; see `tests/forked_workers.py`.
    """
    peak = peak or multiprocessing.get_context("forkserver").Value("d", 0.0)
    given = folder, list(arguments), dict(variables), peak, tensorflow
    with _forked(_run, given, tensorflow=tensorflow) as running:
        yield running


@contextmanager
def _forked(target: Callable[..., None], given: tuple[Any, ...], *, tensorflow: bool) -> Iterator[Running]:
    """A process of one of the servers, which is ended with the block; it also gets the files for what it prints."""
    server = multiprocessing.get_context("forkserver")
    server.set_forkserver_preload(_PRELOADED)
    with TemporaryDirectory() as place:
        prints = Path(place, "out"), Path(place, "err")
        kind = _ForkedWithTensorFlow if tensorflow else server.Process
        process = kind(target=target, args=(*given, *prints))
        process.start()
        running = Running(process, prints)
        try:
            yield running
        finally:
            running.kill()
            process.join()


def command(
    folder: Path,
    arguments: Sequence[str],
    env: Mapping[str, str] | None = None,
    seconds: float = 300,
    *,
    tensorflow: bool = False,
) -> Done:
    """Runs `recipekit` in a folder as a process of its own, with some variables set besides those of this one.

    Args:
        folder: where it runs.
        arguments: of the command.
        env: variables.
        seconds: that it may take.
        tensorflow: as in `begun`.
    """
    peak = multiprocessing.get_context("forkserver").Value("d", 0.0)
    started = time.monotonic()
    with begun(folder, arguments, {**os.environ, **(env or {})}, peak, tensorflow=tensorflow) as running:
        try:
            out, err = running.communicate(seconds)
        except subprocess.TimeoutExpired:
            pytest.fail(f"{' '.join(arguments)} has not ended after {seconds} seconds")
        took = time.monotonic() - started
        return Done(running.returncode, out, err, took, peak.value)


def script(place: Path, *arguments: str) -> tuple[int, str, str]:
    """Runs `python PLACE ARGUMENTS...` in a process that begins with TensorFlow imported: exit code, output, errors."""
    with _forked(_run_script, (place, arguments), tensorflow=True) as running:
        out, err = running.communicate()
        return running.returncode, out, err


def _run(
    folder: Path, arguments: list[str], env: dict[str, str], peak: Any, tensorflow: bool, out: Path, err: Path
) -> None:
    if tensorflow:
        fork_workers()
    os.setsid()
    signal.signal(signal.SIGINT, signal.default_int_handler)  # tests in the background of a shell have it ignored
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(env)
    _print_into(out, err)
    sys.argv = ["recipekit", *arguments]
    code = main(arguments)
    sys.stdout.flush()
    sys.stderr.flush()
    peak.value = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    os._exit(code)


def _run_script(place: Path, arguments: tuple[str, ...], out: Path, err: Path) -> None:
    _print_into(out, err)
    sys.argv = [str(place), *arguments]
    runpy.run_path(str(place), run_name="__main__")


def _print_into(out: Path, err: Path) -> None:
    for descriptor, path in ((1, out), (2, err)):
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(file, descriptor)
        os.close(file)
