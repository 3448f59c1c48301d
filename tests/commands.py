"""`recipekit` as a process of its own, forked from a server that has imported the command line once.

A process that begins with nothing imports for a second before it does anything.
"""

from __future__ import annotations

import multiprocessing
import os
import resource
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import pytest

from recipekit.cli import main

_PRELOADED = [
    "recipekit.cli.run",
    "recipekit.cli.validate",
    "recipekit.cli.cache",
    "tests.commands",
    "tests.command_server",
]


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


def command(folder: Path, arguments: Sequence[str], env: Mapping[str, str] | None = None, seconds: float = 300) -> Done:
    """Runs `recipekit` in a folder as a process of its own, with some variables set besides those of this one."""
    server = multiprocessing.get_context("forkserver")
    server.set_forkserver_preload(_PRELOADED)
    peak = server.Value("d", 0.0)
    with TemporaryDirectory() as place:
        prints = Path(place, "out"), Path(place, "err")
        variables = {**os.environ, **(env or {})}
        process = server.Process(target=_run, args=(folder, list(arguments), variables, *prints, peak))
        started = time.monotonic()
        process.start()
        process.join(seconds)
        took = time.monotonic() - started
        if process.exitcode is None:
            process.kill()
            process.join()
            pytest.fail(f"{' '.join(arguments)} has not ended after {seconds} seconds")
        out, err = (path.read_text() for path in prints)
    return Done(process.exitcode, out, err, took, peak.value)


def _run(folder: Path, arguments: list[str], env: dict[str, str], out: Path, err: Path, peak: Any) -> None:
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(env)
    for descriptor, path in ((1, out), (2, err)):
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(file, descriptor)
        os.close(file)
    sys.argv = ["recipekit", *arguments]
    code = main(arguments)
    sys.stdout.flush()
    sys.stderr.flush()
    peak.value = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    os._exit(code)
