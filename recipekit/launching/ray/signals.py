"""Holds SIGINT and SIGTERM back while Ray's compiled code runs, which an exception in its midst would break."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import current_thread, main_thread
from types import FrameType

_NUMBERS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def signals_wait() -> Iterator[Callable[[], None]]:
    """Lets SIGINT and SIGTERM wait until somebody has time, at the latest until the end of the block.

    Ray replaces what answers SIGTERM; afterwards it is what it was.

    Yields:
        Answers a signal that has come, by what answers it outside of the block.
    """
    if current_thread() is not main_thread():  # which alone hears signals
        yield lambda: None
        return
    came: list[signal.Signals] = []

    def note(number: int, _frame: FrameType | None) -> None:
        came.append(signal.Signals(number))

    def answer() -> None:
        if came:
            restore()
            signal.raise_signal(came.pop(0))

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)
        before.clear()

    before = {number: signal.signal(number, note) for number in _NUMBERS}
    try:
        yield answer
    except SystemExit:  # how Ray answers SIGTERM
        came.append(signal.SIGTERM)
    finally:
        restore()
    answer()
