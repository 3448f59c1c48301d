"""Signals as exceptions: whatever a library makes of one that unwinds it, the command ends as interrupted."""

from __future__ import annotations

import signal
import subprocess
import sys
from itertools import count
from types import FrameType

import pytest

from recipekit.cli.ending import ended_by
from recipekit.cli.interruption import Interrupted, Terminated, stop_behind, told_if_stopped
from recipekit.cli.run import main
from recipekit.errors import OutputFault

both = pytest.mark.parametrize("stop", [Interrupted, Terminated])


class Struck:
    """Raises at one call of argparse's own functions, as a signal that came just then does."""

    def __init__(self, at: int, stop: type[BaseException]) -> None:
        self.at = at
        self.stop = stop
        self.calls = 0

    def __call__(self, frame: FrameType, event: str, _argument: object) -> None:
        """What `sys.setprofile` calls."""
        if event == "call" and frame.f_globals.get("__name__") == "argparse":
            self.calls += 1
            if self.calls == self.at:
                raise self.stop


def ended_after(at: int, stop: type[BaseException]) -> tuple[int, bool]:
    """The exit code of a command line that is refused, where a signal came at some call; whether it came."""
    struck = Struck(at, stop)
    sys.setprofile(struck)
    try:
        main(["recipe=tiny", "--no-such-option"])
    except (Exception, Interrupted, Terminated) as error:  # noqa: BLE001  as the edge does
        sys.setprofile(None)
        return ended_by(error, debug=False), struck.calls >= at
    finally:
        sys.setprofile(None)
    raise AssertionError("the command line is none")


@pytest.mark.parametrize("stop", [Interrupted, pytest.param(Terminated, marks=pytest.mark.slow)])
def test_at_whichever_call_of_reading_the_command_line_a_signal_comes_it_is_told(
    capsys: pytest.CaptureFixture[str], stop: type[Interrupted | Terminated]
) -> None:
    struck = 0
    for at in count(1):
        code, came = ended_after(at, stop)
        said = capsys.readouterr().err
        if not came:
            break
        struck += 1
        assert (code, "published nothing" in said, "Traceback" in said) == (stop.exit_code, True, False), at
    assert struck > 100


@both
def test_a_clean_up_that_fails_under_a_signal_is_told_as_the_signal_with_what_is_kept(
    capsys: pytest.CaptureFixture[str], stop: type[Interrupted | Terminated]
) -> None:
    def unwound() -> None:
        with told_if_stopped(lambda: "all but the last is kept"):
            try:
                raise stop
            finally:
                noted: dict[str, int] = {}
                noted.pop("what was not noted yet")

    with pytest.raises(KeyError) as failed:
        unwound()
    assert ended_by(failed.value, debug=False) == stop.exit_code
    assert capsys.readouterr().err == f"{stop.word}: all but the last is kept\n"


UNWINDS_FOR_EVER = """
import signal, time
from recipekit.cli.interruption import catch_signals

signal.signal(signal.SIGINT, signal.default_int_handler)  # tests in the background of a shell have it ignored
catch_signals()
try:
    print("works", flush=True)
    time.sleep(600)
finally:
    print("unwinds", flush=True)
    while True:
        try:
            time.sleep(600)
        except BaseException:
            print("goes on", flush=True)
"""


def test_a_second_ctrl_c_ends_at_once_whatever_the_first_one_has_not_ended() -> None:
    with subprocess.Popen([sys.executable, "-c", UNWINDS_FOR_EVER], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        try:
            for word in ("works", "unwinds"):
                assert child.stdout.readline() == f"{word}\n"
                child.send_signal(signal.SIGINT)
            assert child.stdout.readline() == ""
        finally:
            child.kill()
    assert child.returncode == -signal.SIGINT


def test_an_error_that_no_signal_is_behind_stays_what_it_is() -> None:
    error = OutputFault("the disk is full", where="outputs", fix="make room")
    error.__cause__ = OSError(28, "No space left on device")
    assert stop_behind(error) is None
    assert ended_by(error, debug=False) == OutputFault.exit_code


def test_errors_that_are_each_other_s_cause_come_to_an_end() -> None:
    first, second = KeyError("first"), ValueError("second")
    first.__cause__, second.__context__ = second, first
    assert stop_behind(first) is None
