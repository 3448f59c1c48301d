"""The front: whom no other one beats, held against the definition itself."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recipekit.pareto import Direction, front

VALUES = st.one_of(st.none(), st.integers(-3, 3).map(float), st.just(float("nan")))
DIRECTION: st.SearchStrategy[Direction] = st.sampled_from(["min", "max"])
DIRECTIONS = st.lists(DIRECTION, min_size=1, max_size=4)


@st.composite
def problems(draw: st.DrawFn) -> tuple[list[list[float | None]], list[Direction]]:
    directions = draw(DIRECTIONS)
    points = st.lists(VALUES, min_size=len(directions), max_size=len(directions))
    return draw(st.lists(points, max_size=12)), directions


def is_known(point: Sequence[float | None]) -> bool:
    return all(value is not None and not math.isnan(value) for value in point)


def beats(one: Sequence[float | None], other: Sequence[float | None], directions: Sequence[Direction]) -> bool:
    signs = [1 if direction == "max" else -1 for direction in directions]
    gains = [sign * ((a or 0) - (b or 0)) for sign, a, b in zip(signs, one, other, strict=True)]
    return min(gains) >= 0 and max(gains) > 0


@given(problems())
def test_a_point_is_on_the_front_unless_another_one_beats_it(
    problem: tuple[list[list[float | None]], list[Direction]],
) -> None:
    points, directions = problem
    known = [point for point in points if is_known(point)]
    expected = [is_known(point) and not any(beats(other, point, directions) for other in known) for point in points]
    assert front(points, directions) == expected


@given(problems(), st.randoms(use_true_random=False))
def test_the_front_does_not_depend_on_the_order(
    problem: tuple[list[list[float | None]], list[Direction]], order: random.Random
) -> None:
    points, directions = problem
    indices = list(range(len(points)))
    order.shuffle(indices)
    expected = front(points, directions)
    assert front([points[at] for at in indices], directions) == [expected[at] for at in indices]


@given(problems())
def test_where_all_is_known_of_one_point_the_front_has_a_member(
    problem: tuple[list[list[float | None]], list[Direction]],
) -> None:
    points, directions = problem
    assert any(front(points, directions)) == any(map(is_known, points))


@given(st.lists(st.tuples(st.floats(-9, 9), st.floats(-9, 9)), max_size=8))
def test_turning_a_direction_is_turning_the_sign(points: list[tuple[float, float]]) -> None:
    assert front(points, ["min", "max"]) == front([(x, -y) for x, y in points], ["min", "min"])


def test_equal_points_stand_together() -> None:
    assert front([(1, 2), (1, 2), (2, 2)], ["min", "max"]) == [True, True, False]


def test_points_need_a_value_a_direction() -> None:
    with pytest.raises(ValueError, match="shorter"):
        front([(1.0,)], ["min", "max"])


@pytest.mark.slow
def test_ten_thousand_points_take_no_time_to_speak_of() -> None:
    chance = random.Random(0)
    points = [(chance.random(), chance.random(), chance.random()) for _ in range(10_000)]
    started = time.process_time()
    assert 10 < sum(front(points, ["min", "max", "min"])) < 200
    assert time.process_time() - started < 1.0
