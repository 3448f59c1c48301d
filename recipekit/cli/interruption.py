"""Ctrl-C and SIGTERM as exceptions that unwind everything, and what is said of the work that they leave.

It imports the standard library alone, since signals are caught before a verb is known.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

_KEPT_NOTHING = "the command published nothing and left nothing half done; the same command starts again"
_SHOW_CURSOR = b"\x1b[?25h"


class Interrupted(KeyboardInterrupt):
    """SIGINT.

    Attributes:
        kept: what is left of the work and how to go on, once somebody has said it.
    """

    word = "interrupted"
    exit_code = 130
    kept = ""


class Terminated(BaseException):
    """SIGTERM, as an exception that unwinds like Ctrl-C does; its attributes are those of `Interrupted`."""

    word = "terminated"
    exit_code = 143
    kept = ""


def catch_signals() -> None:
    """Lets SIGINT, unless whoever started us has us ignore it, and SIGTERM unwind the main thread."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _raise_interrupted)
    signal.signal(signal.SIGTERM, _raise_terminated)


@contextmanager
def signals_held() -> Iterator[None]:
    """Lets signals wait while a verb is imported: an exception in the middle can leave C extensions half made."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def told_if_stopped(kept: Callable[[], str]) -> Iterator[None]:
    """Lets a signal that comes meanwhile be answered by what is kept of the work.

    Args:
        kept: says it when everything has been unwound; the first line goes on behind the signal's word.
    """
    try:
        yield
    except BaseException as error:
        if (stop := stop_behind(error)) is not None:
            stop.kept = stop.kept or kept()
        raise


def stop_behind(error: BaseException) -> Interrupted | Terminated | None:
    """The signal that an error goes back to, if one does.

    A library that a signal leaves in the middle may fail as it clears up, as argparse does where it has noted only some
    of what it wants to set back. That error would hide why the command ends.
    """
    cause: BaseException | None = error
    seen: set[int] = set()
    while cause is not None and id(cause) not in seen:  # whoever raises an error from what it led to closes a circle
        if isinstance(cause, Interrupted | Terminated):
            return cause
        seen.add(id(cause))
        cause = cause.__cause__ or cause.__context__
    return None


def farewell(stop: Interrupted | Terminated) -> str:
    """What is said at the end of an interrupted command."""
    return f"{stop.word}: {stop.kept or _KEPT_NOTHING}\n"


def _raise_interrupted(_signal: int, _frame: FrameType | None) -> NoReturn:
    """Lets Ctrl-C end everything in order, and a second one at once: workers end with us, the next run clears up."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    if sys.stdout.isatty() and os.environ.get("TERM") != "dumb":
        os.write(sys.stdout.fileno(), _SHOW_CURSOR)  # a display may have hidden it, and the second one asks nobody
    raise Interrupted


def _raise_terminated(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise Terminated
