from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recipekit.contracts import PairedCounts, Parity, TaskScore
from recipekit.estimates import Estimate, converted_score, parity_metric, relative_score_drop, score_drop
from recipekit.intervals import paired_difference, wilson

counts = st.builds(
    PairedCounts,
    both=st.integers(1, 1000),
    only_float=st.integers(0, 1000),
    only_converted=st.integers(0, 1000),
    neither=st.integers(0, 1000),
)


def proportion_score(paired: PairedCounts, *, higher_is_better: bool = True) -> TaskScore:
    pairs = paired.both + paired.only_float + paired.only_converted + paired.neither
    return TaskScore(
        float_value=(paired.both + paired.only_float) / pairs,
        converted_value=(paired.both + paired.only_converted) / pairs,
        higher_is_better=higher_is_better,
        paired=paired,
    )


@pytest.mark.parametrize(("higher_is_better", "expected"), [(True, 0.25), (False, -0.25)])
def test_a_drop_is_a_loss_of_quality_in_the_direction_of_the_metric(higher_is_better: bool, expected: float) -> None:
    assert TaskScore(float_value=0.75, converted_value=0.5, higher_is_better=higher_is_better).drop == expected


def test_the_drop_of_a_proportion_is_exact_where_a_subtraction_would_not_be() -> None:
    score = proportion_score(PairedCounts(both=95, only_float=1, only_converted=0, neither=4))
    assert score.float_value - score.converted_value > 0.01
    assert score_drop(score, 0.95).value == 0.01


@given(counts)
def test_a_proportion_gets_score_intervals(paired: PairedCounts) -> None:
    score = proportion_score(paired)
    pairs = paired.both + paired.only_float + paired.only_converted + paired.neither
    assert converted_score(score, 0.9).interval == pytest.approx(
        wilson(paired.both + paired.only_converted, pairs, 0.9)
    )
    assert score_drop(score, 0.9).interval == paired_difference(paired.only_float, paired.only_converted, pairs, 0.9)


@given(counts)
def test_the_drop_turns_its_sign_with_the_direction(paired: PairedCounts) -> None:
    higher = score_drop(proportion_score(paired), 0.95)
    lower = score_drop(proportion_score(paired, higher_is_better=False), 0.95)
    assert higher.interval is not None
    assert lower == (-higher.value, (-higher.interval[1], -higher.interval[0]))


def test_a_relative_drop_is_a_share_of_the_absolute_float_value() -> None:
    score = TaskScore(float_value=-0.5, converted_value=-0.6, higher_is_better=True, replicates=((-0.6, 0.1),) * 3)
    value, interval = relative_score_drop(score, 0.95)
    assert value == pytest.approx(0.2)
    assert interval == pytest.approx((0.2, 0.2))


def test_other_metrics_take_their_intervals_from_the_replicates() -> None:
    score = TaskScore(
        float_value=10.0,
        converted_value=10.5,
        higher_is_better=False,
        replicates=tuple((10 + step / 100, step / 100) for step in range(101)),
    )
    assert (converted_score(score, 0.9).value, score_drop(score, 0.9).value) == (10.5, 0.5)
    assert converted_score(score, 0.9).interval == pytest.approx((10.05, 10.95))
    assert score_drop(score, 0.9).interval == pytest.approx((0.05, 0.95))


def test_without_replicates_there_is_no_interval() -> None:
    score = TaskScore(float_value=2.0, converted_value=1.0, higher_is_better=True)
    assert converted_score(score, 0.95) == (1.0, None)
    assert relative_score_drop(score, 0.95) == (0.5, None)


@given(st.floats(-10, 10), st.lists(st.floats(-1, 1), min_size=1, max_size=20))
def test_an_interval_holds_the_value_even_where_the_bootstrap_is_skewed(loss: float, losses: list[float]) -> None:
    replicates = tuple((0.0, replicate) for replicate in losses)
    score = TaskScore(float_value=loss, converted_value=0.0, higher_is_better=True, replicates=replicates)
    value, interval = score_drop(score, 0.95)
    assert interval is not None
    assert interval[0] <= value <= interval[1]


def test_of_an_outputs_parity_agreement_alone_has_an_interval_and_what_it_lacks_is_none() -> None:
    known = Parity(
        max_abs_error=0.5,
        mean_abs_error=0.25,
        rmse=0.3,
        l2=0.6,
        cosine_similarity=0.9,
        sqnr_db=20.0,
        argmax_agreement=0.75,
        agreeing=75,
        rows=100,
    )
    assert parity_metric(known, "sqnr_db") == Estimate(20.0)
    assert parity_metric(known, "argmax_agreement") == Estimate(0.75, wilson(75, 100, 0.95))
    without = msgspec.structs.replace(known, argmax_agreement=None, agreeing=None, rows=None)
    assert parity_metric(without, "argmax_agreement") is None
