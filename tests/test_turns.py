"""Who may begin: never more than are allowed at work or under way, and nobody waits for ever."""

from __future__ import annotations

from threading import Event, Thread

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recipekit.turns import Turn, Turns

SOON = 5.0


class Beginner:
    """A thread that begins one build."""

    def __init__(self, turns: Turns) -> None:
        self.begun = Event()
        self._turns = turns
        self._turn: list[Turn] = []
        Thread(target=self._begin, daemon=True).start()

    def _begin(self) -> None:
        self._turn.append(self._turns.begin())
        self.begun.set()

    @property
    def turn(self) -> Turn:
        assert self.begun.wait(SOON)
        return self._turn[0]


def test_a_build_begins_only_while_few_are_at_work() -> None:
    turns = Turns(at_work=2, under_way=9)
    first, _ = turns.begin(), turns.begin()
    third = Beginner(turns)
    assert not third.begun.wait(0.05)
    first.end()
    assert third.begun.wait(SOON)


def test_a_build_that_waits_lets_another_one_begin_and_goes_on_unasked() -> None:
    turns = Turns(at_work=1, under_way=9)
    first = turns.begin()
    with first.waits():
        second = turns.begin()
    third = Beginner(turns)
    second.end()
    assert not third.begun.wait(0.05), "the first one is at work again"
    first.end()
    assert third.begun.wait(SOON)


def test_a_build_with_two_threads_that_wait_counts_once() -> None:
    turns = Turns(at_work=1, under_way=9)
    first = turns.begin()
    with first.waits(), first.waits():
        turns.begin()
        third = Beginner(turns)
        assert not third.begun.wait(0.05)


def test_waiting_builds_are_under_way() -> None:
    turns = Turns(at_work=9, under_way=1)
    with turns.begin().waits():
        assert not Beginner(turns).begun.wait(0.05)


def test_a_wait_that_fails_has_ended() -> None:
    turns = Turns(at_work=1, under_way=9)
    first = turns.begin()
    with pytest.raises(OSError, match="gone"), first.waits():
        raise OSError("gone")
    assert not Beginner(turns).begun.wait(0.05)


@settings(max_examples=20)
@given(at_work=st.integers(1, 3), under_way=st.integers(1, 4), waits=st.lists(st.booleans(), min_size=1, max_size=8))
def test_every_build_begins_and_the_end_is_seen(at_work: int, under_way: int, waits: list[bool]) -> None:
    turns = Turns(at_work, under_way)

    def build(turn: Turn, waiting: bool) -> None:
        if waiting:
            with turn.waits():
                pass
        turn.end()

    for waiting in waits:
        Thread(target=build, args=(turns.begin(), waiting), daemon=True).start()
    turns.wait_for_all()
    assert Beginner(turns).turn


def test_fewer_may_be_allowed_before_the_first_one_begins() -> None:
    turns = Turns(at_work=2, under_way=9)
    turns.limit(1, 1)
    first, second = turns.begin(), Beginner(turns)
    with first.waits():
        assert not second.begun.wait(0.05), "one that waits is still under way"
    first.end()
    second.turn.end()
