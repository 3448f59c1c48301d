"""What a search varies is what Hydra's overrides say, no more and no less."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recipekit.compose.overrides import parser
from recipekit.compose.space import Choice, Numbers, Parameter, read_space
from recipekit.errors import UsageError


def parameter(text: str) -> Parameter:
    (found,) = read_space(parser().parse_overrides([text]))
    assert not isinstance(found, str)
    return found


def values(numbers: Numbers) -> list[str]:
    """Every value as an override spells it."""
    assert numbers.size is not None
    assert numbers.step is not None
    return [numbers.text(numbers.low + at * numbers.step) for at in range(numbers.size)]


@given(st.integers(-50, 50), st.integers(1, 100), st.integers(1, 9), st.sampled_from([1, -1]))
def test_a_range_of_whole_numbers_holds_what_it_lists(start: int, distance: int, width: int, sign: int) -> None:
    stop, step = start + sign * distance, sign * width
    listed = range(start, stop, step)
    found = parameter(f"seed=range({start},{stop},{step})")
    assert isinstance(found, Numbers)
    assert found.whole
    assert values(found) == [str(value) for value in sorted(listed)]


@given(st.integers(-40, 40), st.integers(1, 40), st.sampled_from([0.1, 0.25, 0.5, 0.05]))
def test_a_range_of_floats_holds_what_it_lists_without_noise(start: int, count: int, step: float) -> None:
    low = start / 10
    found = parameter(f"x=range({low},{low + (count - 0.5) * step},{step})")
    assert isinstance(found, Numbers)
    assert [float(text) for text in values(found)] == pytest.approx([low + at * step for at in range(count)])
    assert all(len(text.lstrip("-")) <= 6 for text in values(found)), values(found)


FLOATS = st.floats(-1e9, 1e9)


@given(FLOATS, FLOATS, st.floats(0, 1))
def test_a_value_of_an_interval_reads_back_as_itself(one: float, other: float, share: float) -> None:
    low, high = sorted((one, other))
    found = parameter(f"x=interval({low!r},{high!r})")
    assert isinstance(found, Numbers)
    assert (found.low, found.high, found.step, found.size) == (low, high, None, None)
    value = min(high, low + share * (high - low))
    (override,) = parser().parse_overrides([f"x={found.text(value)}"])
    read: Any = override.value()
    assert float(read) == value


WORDS = st.builds("{}{}".format, st.sampled_from("abc"), st.text("abc123._-", max_size=4))


@given(st.lists(WORDS, min_size=2, max_size=6))
def test_a_choice_holds_each_word_once(words: list[str]) -> None:
    found = parameter(f"converter={','.join(words)}")
    assert isinstance(found, Choice)
    assert found.texts == tuple(dict.fromkeys(words))
    assert parameter(f"++converter=choice({','.join(words)})").element == "++converter"


@pytest.mark.parametrize(
    ("text", "low", "high", "step", "log"),
    [
        ("x=int(interval(1,9))", 1, 9, 1, False),
        ("x=tag(log,interval(1e-4,1))", 1e-4, 1.0, None, True),
        ("x=tag(log,int(interval(1,100)))", 1, 100, 1, True),
        ("x=int(tag(log,interval(1,100)))", 1, 100, 1, True),
        ("x=tag(log,range(1,65))", 1, 64, 1, True),
        ("x=range(9,1,-2)", 3, 9, 2, False),
        ("x=float(range(1,4))", 1.0, 3.0, 1.0, False),
    ],
)
def test_numbers_between_two_bounds(text: str, low: float, high: float, step: float | None, log: bool) -> None:
    found = parameter(text)
    assert isinstance(found, Numbers)
    assert (found.low, found.high, found.step, found.log) == (low, high, step, log)
    assert type(found.low) is type(low)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x=interval(5,1)", "its first bound must be a number no greater than its second"),
        ("x=interval(0,inf)", "its first bound must be a number"),
        ("x=range(1,1)", "it holds no value"),
        ("x=tag(log,interval(0,1))", "needs bounds above 0"),
        ("x=tag(log,range(1,9,2))", "allows no steps"),
        ("x=tag(log,float(range(1,9)))", "allows no steps"),
        ("x=tag(log,choice(1,2))", "is for numbers between two bounds"),
        ("++x=tag(lgo,interval(1,2))", "'x=tag(lgo,interval(1,2))' can't be searched: the tag 'lgo' has no meaning"),
        ("x=3", "there is nothing to search"),
    ],
)
def test_what_cannot_be_searched_is_refused(text: str, said: str) -> None:
    with pytest.raises(UsageError, match=re.escape(said)):
        read_space(parser().parse_overrides([text]))


def test_the_last_word_about_a_key_counts_at_the_first_one_s_place() -> None:
    found = read_space(parser().parse_overrides(["a=1,2", "b=3", "c=interval(0,1)", "a=7"]))
    assert found[:2] == ["a=7", "b=3"]
    assert isinstance(found[2], Numbers)
