"""What is shown of steps that run: a moving line on a terminal that can, now and then a plain one elsewhere."""

from __future__ import annotations

import io
import os
import pty
import re
import threading
import time
from collections.abc import Callable

import pytest
from rich.console import Console

from recipekit.cli.display import CalmDisplay, Display, MovingDisplay, display_on
from recipekit.cli.screen import Screen
from recipekit.contracts import Progress

CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f]")
SECONDS = 60
"""That a busy machine may take to show what it shows at once else."""

SPEAKING = ("CI", "TERM", "NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE", "COLUMNS")


class Terminal:
    """A pseudoterminal, and all that a console writes to it."""

    def __init__(self, width: int = 100) -> None:
        self._reads, writes = pty.openpty()
        self._file = os.fdopen(writes, "w")
        self.console = Console(file=self._file, width=width)
        self._seen: list[bytes] = []
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def _read(self) -> None:
        try:
            while data := os.read(self._reads, 1 << 16):
                self._seen.append(data)
        except OSError:  # how Linux says that the other end is closed
            pass

    def shows(self, pattern: str) -> bool:
        """Whether words could be read on it, whatever their style."""
        seen = b"".join(self._seen).decode(errors="replace")
        return bool(re.search(pattern, re.sub("\x1b[^a-zA-Z]*[a-zA-Z]", "", seen)))

    def close(self) -> str:
        self._file.close()
        self._thread.join()
        os.close(self._reads)
        return b"".join(self._seen).decode()


def wait_until(what: Callable[[], object]) -> None:
    end = time.monotonic() + SECONDS
    while not what():
        assert time.monotonic() < end, "it was never shown"
        time.sleep(0.01)


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in SPEAKING:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")


def work(display: Display, shown: Callable[[], object] = lambda: True) -> None:
    """Two steps, of which one tells how far it is and goes on until that is shown."""
    display.start("calibrate")
    display.start("lower")
    display.update("calibrate", Progress(done=40, total=200, unit="samples"))
    time.sleep(0.1)
    display.update("calibrate", Progress(done=120, total=200, unit="samples", note="of [bold]two"))
    wait_until(shown)
    display.end("calibrate")
    display.stop()


@pytest.mark.parametrize(("width", "barred"), [(100, True), (60, False)])
def test_a_terminal_shows_count_and_time_left_and_keeps_nothing_of_it(width: int, barred: bool) -> None:
    terminal = Terminal(width)
    display = display_on(terminal.console)
    assert isinstance(display, MovingDisplay)
    work(display, lambda: terminal.shows(r"120 of 200 samples.*, [1-9]\d* s, about \d+ s left, of \[bo"))
    seen = terminal.close()
    assert ("━" in seen) is barred
    assert seen.count("\x1b[?25h") == seen.count("\x1b[?25l") == 1  # the cursor comes back
    assert seen.rstrip("\r").endswith("\x1b[2K\x1b[1A\x1b[2K\x1b[?25h")


def test_a_narrow_terminal_cuts_the_words_not_the_name() -> None:
    terminal = Terminal(38)
    work(display_on(terminal.console), lambda: terminal.shows("120 of 200"))
    plain = re.sub("\x1b[^a-zA-Z]*[a-zA-Z]", "", terminal.close())
    assert "calibrate 120 of 200 samp" in plain
    assert all(len(line) <= 38 for line in plain.replace("\r", "\n").split("\n"))


@pytest.mark.parametrize(("name", "value"), [("CI", "true"), ("TERM", "dumb"), ("TTY_INTERACTIVE", "0")])
def test_a_terminal_of_a_ci_job_or_a_dumb_one_stays_calm(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    terminal = Terminal()
    display = display_on(terminal.console)
    assert isinstance(display, CalmDisplay)
    work(display)
    assert terminal.close() == ""


def test_colours_that_are_asked_for_make_no_file_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert isinstance(display_on(Console(file=io.StringIO())), CalmDisplay)


def test_a_log_gets_a_plain_line_now_and_then() -> None:
    file = io.StringIO()
    display = CalmDisplay(Console(file=file, width=40), waits=(0.05, 0.15))
    began = time.monotonic()
    display.start("calibrate")
    display.update("calibrate", Progress(done=1, total=9, unit="samples"))
    time.sleep(0.01)
    display.update("calibrate", Progress(done=2, total=9, unit="samples", note="of [bold]two"))
    wait_until(lambda: file.getvalue().count("\n") >= 2)
    display.end("calibrate")
    lines, took = file.getvalue().splitlines(), time.monotonic() - began
    assert len(lines) <= 1 + (took - 0.05) / 0.15  # at 0.05, 0.2, 0.35 s ...
    time.sleep(0.2)
    assert file.getvalue().splitlines() == lines, "and none when it has ended"
    assert all(
        re.fullmatch(r"  runs  calibrate {10}\d of 9 samples, \d s(, about \d s left)?(, of \[bold\]two)?", it)
        for it in lines
    )
    assert not CONTROL.search(file.getvalue())


def test_a_screen_in_a_log_says_what_has_ended_and_names_it_as_kept() -> None:
    file = io.StringIO()
    screen = Screen(Console(file=file, width=40))
    screen.started("lower")
    screen.found("load", 1.5, "keras3")
    screen.finished("lower", 2.0, "3 [bytes]")
    screen.started("calibrate")
    screen.stopped()
    assert file.getvalue().splitlines() == [
        "  found load                 1.50 s  keras3",
        "  done  lower                2.00 s  3 [bytes]",
    ]
    assert screen.kept == ["load", "lower"]
