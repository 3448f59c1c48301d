"""Workers that have imported TensorFlow before they start: forks of a command that a server has forked.

TensorFlow takes four seconds of a processor to import, and a page of commands would do so for each of them. A forked
worker has what one that was started has: a process id and a session of its own, a parent that waits for it, the pipes
and the variables that it was given, and no other descriptor. How a worker really starts is asked by
`tests/test_pool.py`, by the tests of faults, and by all that runs stages in a pool.
"""

from __future__ import annotations

import faulthandler
import gc
import os
import signal
import subprocess
import sys
import traceback
from collections.abc import Collection, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from recipekit.pool import process as started
from recipekit.worker.__main__ import main

HELD_STAGE = "PYTEST_HELD_STAGE"
"""The variable that names the stage at whose beginning a forked worker stops itself, until it is sent SIGCONT."""

_KIND = "tensorflow"
_PATH = "PYTHONPATH"
_IDLE = ("PYTEST_", "RECIPEKIT_", "COLUMNS", "LINES")


class _Forked(subprocess.Popen[bytes]):
    """A worker as its parent sees it, which began as a fork of it."""

    def __init__(self, arguments: list[str], kept: Collection[int], words: int, variables: Mapping[str, str]) -> None:
        self._given = arguments, kept, words, variables
        super().__init__(arguments)

    def _execute_child(self, *_: object) -> None:
        self.pid = os.fork()
        if self.pid == 0:
            _become(*self._given)
        self._child_created = True


def fork_workers() -> None:
    """Lets this process, a fork of the server that has imported TensorFlow, fork its workers that need it.

    One whose variables might have changed what Python or TensorFlow are is started as ever.
    """
    from tests.tensorflow_server import BEFORE, LEFT  # noqa: PLC0415  has imported TensorFlow in the server

    imported_with = _decisive(BEFORE)

    def begin(arguments: list[str], **how: Any) -> subprocess.Popen[bytes]:
        if _KIND in arguments and _decisive(how["env"]) == imported_with:
            return _Forked(arguments, how["pass_fds"], how["stderr"].fileno(), {**LEFT, **how["env"]})
        return subprocess.Popen(arguments, **how)

    vars(started)["subprocess"] = SimpleNamespace(Popen=begin, DEVNULL=subprocess.DEVNULL)


def _decisive(variables: Mapping[str, str]) -> dict[str, str]:
    """All but those of pytest, recipekit and the terminal's size, and but for folders that are on the path already."""
    further = {folder for folder in variables.get(_PATH, "").split(os.pathsep) if folder and folder not in sys.path}
    named = {name: value for name, value in variables.items() if not name.startswith(_IDLE)}
    return {**named, _PATH: os.pathsep.join(sorted(further))}


def _become(arguments: list[str], kept: Collection[int], words: int, variables: Mapping[str, str]) -> None:
    """Lets this fork be the worker of a command line, until it ends."""
    code = 1
    try:
        gc.freeze()  # what the parent has left is never torn down here: it may hold descriptors
        os.setsid()
        nothing = os.open(os.devnull, os.O_RDWR)
        for descriptor, target in ((nothing, 0), (nothing, 1), (words, 2)):
            os.dup2(descriptor, target)
        _close_all_but({0, 1, 2, *kept})
        signal.set_wakeup_fd(-1)
        for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
            if callable(signal.getsignal(number)):
                signal.signal(number, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        sys.stdout, sys.stderr = (open(number, "w", closefd=False) for number in (1, 2))  # noqa: SIM115
        os.environ.clear()
        os.environ.update(variables)
        if held := variables.get(HELD_STAGE):
            _stop_in(held)
        faulthandler.enable()
        sys.path.insert(0, str(Path.cwd()))  # as `python -m` does
        code = main(arguments[arguments.index("--serve") :])
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except BaseException:  # noqa: BLE001  as Python ends a program
        traceback.print_exc()
    finally:
        os._exit(code)


def _stop_in(stage: str) -> None:
    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open" and str(arguments[0]).endswith(f"-{stage}/request.json"):
            os.kill(os.getpid(), signal.SIGSTOP)

    sys.addaudithook(hook)


def _close_all_but(kept: Collection[int]) -> None:
    edges = sorted(kept)
    for low, high in zip(edges, [*edges[1:], os.sysconf("SC_OPEN_MAX")], strict=True):
        os.closerange(low + 1, high)
