from __future__ import annotations

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from recipekit.worker.figures.histogram import GrowingHistogram

SMALL = st.floats(1e-30, 1, exclude_max=True)  # the division by a wide bin makes zero of smaller ones
ERRORS = st.lists(
    st.floats(-1e30, 1e30, allow_nan=False).filter(lambda error: error == 0 or abs(error) >= 1e-30)
    | SMALL
    | SMALL.map(lambda error: -error)
    | st.just(0.0),
    min_size=1,
    max_size=60,
)


def histogram(*blocks: list[float]) -> GrowingHistogram:
    growing = GrowingHistogram()
    for block in blocks:
        growing.add(np.array(block, np.float64))
    return growing


@given(ERRORS, st.integers(0, 60))
def test_counts_are_the_same_however_errors_arrive(errors: list[float], cut: int) -> None:
    assert histogram(errors[:cut], errors[cut:]).result() == histogram(errors).result()


@given(ERRORS)
def test_counts_are_those_of_all_errors_between_the_edges(errors: list[float]) -> None:
    result = histogram(errors).result()
    assert sum(result.counts) == len(errors)
    if result.limit:
        edges = np.linspace(-result.limit, result.limit, len(result.counts) + 1)
        assert list(result.counts) == np.histogram(errors, edges)[0].tolist()


@given(ERRORS)
def test_the_limit_is_the_least_power_of_two_above_every_error(errors: list[float]) -> None:
    largest, limit = max(map(abs, errors)), histogram(errors).result().limit
    if largest < 1e-290:
        assert limit in {0.0, 2.0**-1000}
    else:
        assert math.frexp(limit)[0] == 0.5
        assert limit / 2 <= largest < limit


def test_zeros_alone_are_in_one_bin() -> None:
    result = histogram([0.0, 0.0], [0.0]).result()
    assert (result.limit, result.counts[0], sum(result.counts)) == (0.0, 3, 3)
