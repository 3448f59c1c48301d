"""The law of time left: from a step's own counts, else from how long it took last time, else unknown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recipekit.cli.pace import Pace, in_words
from recipekit.contracts import Progress


def counted(done: int, total: int = 100, note: str = "") -> Progress:
    return Progress(done=done, total=total, unit="samples", note=note)


@given(
    rate=st.floats(0.01, 1e4),
    pause=st.floats(0, 1000),
    done=st.integers(2, 99),
)
def test_at_a_steady_rate_the_time_left_is_exact_whatever_came_before_the_first_count(
    rate: float, pause: float, done: int
) -> None:
    pace = Pace(0.0)
    pace.tell(counted(1), pause + 1 / rate)
    pace.tell(counted(done), pause + done / rate)
    assert pace.left(pause + done / rate) == pytest.approx((100 - done) / rate)


def test_time_left_runs_down_between_two_counts_and_never_below_nothing() -> None:
    pace = Pace(0.0)
    pace.tell(counted(0), 1.0)
    pace.tell(counted(50), 6.0)
    assert pace.left(8.0) == 3.0
    assert pace.left(60.0) == 0.0


def test_without_counts_the_last_time_is_the_estimate_until_it_is_over() -> None:
    pace = Pace(10.0)
    assert pace.left(11.0) is None
    pace.tell(Progress(seconds_before=8.0), 11.0)
    assert pace.left(12.0) == 6.0
    assert pace.words(12.0) == "2 s, about 6 s left"
    assert pace.left(19.0) is None
    assert pace.words(19.0) == "9 s, last time 8 s"


def test_counts_beat_the_last_time_and_a_new_total_begins_anew() -> None:
    pace = Pace(0.0)
    pace.tell(Progress(seconds_before=500.0), 0.0)
    pace.tell(counted(0), 1.0)
    pace.tell(counted(50), 6.0)
    assert pace.words(6.0) == "50 of 100 samples, 6 s, about 5 s left"
    pace.tell(counted(0, 7, "decode"), 20.0)
    assert pace.left(20.0) == 480.0
    pace.tell(counted(1, 7, "decode"), 21.0)
    assert pace.words(21.0) == "1 of 7 samples, 21 s, about 6 s left, decode"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.2, "0 s"), (59.4, "59 s"), (59.6, "1 min 00 s"), (3599.7, "1 h 00 min"), (8000, "2 h 13 min")],
)
def test_durations_are_told_in_two_units_at_most(seconds: float, words: str) -> None:
    assert in_words(seconds) == words
