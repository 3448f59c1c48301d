from __future__ import annotations

import math
import random as random_module
from statistics import NormalDist, median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recipekit.intervals import paired_difference, percentile, wilson

levels = st.sampled_from([0.5, 0.8, 0.9, 0.95, 0.99, 0.999])


@st.composite
def proportions(draw: st.DrawFn) -> tuple[int, int]:
    trials = draw(st.integers(1, 100_000))
    return draw(st.integers(0, trials)), trials


@st.composite
def discordances(draw: st.DrawFn) -> tuple[int, int, int]:
    pairs = draw(st.integers(1, 100_000))
    only_first = draw(st.integers(0, pairs))
    return only_first, draw(st.integers(0, pairs - only_first)), pairs


def width(interval: tuple[float, float]) -> float:
    return interval[1] - interval[0]


# --- worked examples ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    [  # R. G. Newcombe, Statistics in Medicine 17 (1998) 857-872, table I, score method without continuity correction
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_agrees_with_published_examples(successes: int, trials: int, low: float, high: float) -> None:
    assert wilson(successes, trials, 0.95) == pytest.approx((low, high), abs=5e-5)


def test_paired_difference_agrees_with_a_published_example() -> None:
    # M. W. Fagerland et al., Statistics in Medicine 33 (2014) 2850-2875: airway reactivity, counts 1, 1, 7, 12
    assert paired_difference(1, 7, 21, 0.95) == pytest.approx((-0.517, -0.026), abs=5e-4)


@pytest.mark.parametrize("pairs", [1, 20, 1797])
def test_pairs_that_all_agree_leave_an_interval_of_the_closed_form(pairs: int) -> None:
    z_squared = NormalDist().inv_cdf(0.975) ** 2
    end = z_squared / (pairs + z_squared)
    assert paired_difference(0, 0, pairs, 0.95) == pytest.approx((-end, end), rel=1e-12)


@pytest.mark.parametrize(("only_first", "only_second", "pairs"), [(1, 7, 21), (40, 20, 160), (3, 0, 500), (12, 12, 30)])
def test_the_score_test_is_just_rejected_at_both_ends(only_first: int, only_second: int, pairs: int) -> None:
    z = NormalDist().inv_cdf(0.975)
    low, high = paired_difference(only_first, only_second, pairs, 0.95)
    assert score_statistic(only_first, only_second, pairs, low) == pytest.approx(z, rel=1e-5)
    assert score_statistic(only_first, only_second, pairs, high) == pytest.approx(-z, rel=1e-5)


def score_statistic(only_first: int, only_second: int, pairs: int, difference: float) -> float:
    """The score statistic with the nuisance parameter found by maximising the trinomial likelihood numerically."""

    def term(count: int, probability: float) -> float:
        return count * math.log(probability) if count else 0.0

    def likelihood(second: float) -> float:
        both_alike = 1 - 2 * second - difference
        rest = pairs - only_first - only_second
        return term(only_first, second + difference) + term(only_second, second) + term(rest, both_alike)

    low, high = max(0.0, -difference) + 1e-12, (1 - difference) / 2 - 1e-12
    for _ in range(200):  # ternary search: the log-likelihood is concave
        left, right = low + (high - low) / 3, high - (high - low) / 3
        low, high = (left, high) if likelihood(left) < likelihood(right) else (low, right)
    variance = pairs * (2 * low + difference - difference**2)
    return (only_first - only_second - pairs * difference) / math.sqrt(variance)


def test_percentile_cuts_the_same_share_off_both_tails() -> None:
    assert percentile(range(101), 0.95) == pytest.approx((2.5, 97.5))
    assert percentile([3.0, 1.0], 0.5) == pytest.approx((1.5, 2.5))
    assert percentile([7.0], 0.95) == (7.0, 7.0)


@pytest.mark.parametrize("confidence", [-1.5, 1.5])
def test_a_level_outside_of_0_to_1_is_refused(confidence: float) -> None:
    with pytest.raises(ValueError, match=r"0\.0 < p < 1\.0"):
        wilson(1, 2, confidence)


# --- laws ---------------------------------------------------------------------------------------------------------


@given(proportions(), levels)
def test_wilson_holds_the_share_and_stays_inside_0_and_1(counts: tuple[int, int], confidence: float) -> None:
    low, high = wilson(*counts, confidence)
    assert 0 <= low <= counts[0] / counts[1] <= high <= 1
    assert low < high


@given(proportions(), levels)
def test_wilson_mirrors_when_successes_become_failures(counts: tuple[int, int], confidence: float) -> None:
    low, high = wilson(*counts, confidence)
    mirrored = wilson(counts[1] - counts[0], counts[1], confidence)
    assert mirrored == pytest.approx((1 - high, 1 - low), abs=1e-12)


@given(proportions(), st.integers(2, 50), levels)
def test_wilson_shrinks_with_more_trials(counts: tuple[int, int], more: int, confidence: float) -> None:
    assert width(wilson(counts[0] * more, counts[1] * more, confidence)) < width(wilson(*counts, confidence))


@given(discordances(), levels)
def test_paired_difference_holds_the_estimate_and_stays_inside(counts: tuple[int, int, int], confidence: float) -> None:
    low, high = paired_difference(*counts, confidence)
    assert -1 <= low <= (counts[0] - counts[1]) / counts[2] <= high <= 1
    assert low < high


@given(discordances(), levels)
def test_paired_difference_changes_sign_when_the_two_are_swapped(
    counts: tuple[int, int, int], confidence: float
) -> None:
    low, high = paired_difference(*counts, confidence)
    assert paired_difference(counts[1], counts[0], counts[2], confidence) == (-high, -low)


@given(discordances(), st.integers(2, 50), levels)
def test_paired_difference_shrinks_with_more_pairs(counts: tuple[int, int, int], more: int, confidence: float) -> None:
    only_first, only_second, pairs = (count * more for count in counts)
    assert width(paired_difference(only_first, only_second, pairs, confidence)) < width(
        paired_difference(*counts, confidence)
    )


@given(discordances())
def test_a_higher_level_gives_a_wider_interval(counts: tuple[int, int, int]) -> None:
    inner, outer = paired_difference(*counts, 0.8), paired_difference(*counts, 0.95)
    assert outer[0] <= inner[0] < inner[1] <= outer[1]


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=200), levels)
def test_percentile_holds_the_median_and_stays_within_the_replicates(
    replicates: list[float], confidence: float
) -> None:
    low, high = percentile(replicates, confidence)
    slack = 1e-9 * max(1.0, *map(abs, replicates))
    assert min(replicates) <= low + slack
    assert low <= median(replicates) + slack
    assert median(replicates) <= high + slack
    assert high <= max(replicates) + slack


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=50), levels, st.randoms())
def test_percentile_does_not_depend_on_the_order(
    replicates: list[float], confidence: float, random: random_module.Random
) -> None:
    shuffled = random.sample(replicates, len(replicates))
    assert percentile(shuffled, confidence) == percentile(replicates, confidence)
