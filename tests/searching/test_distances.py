"""Distances say what the gate says, and know no units."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recipekit.acceptance import Acceptance, Bound, Check, ModelIntent
from recipekit.gate import judge
from recipekit.outcome import Outcome
from recipekit.searching.distances import distance, distances
from tests.searching.synthetic import measured
from tests.whole_outputs import MEASUREMENT

FINITE = st.floats(-1e12, 1e12)
KINDS = st.sampled_from(["min", "max", "max_drop", "min_ratio"])


def check_of(kind: str, limit: float, value: float) -> Check:
    margin = value - limit if kind.startswith("min") else limit - value
    name = f"parity.rmse.{kind}"
    return Check(name=name, limit=limit, value=value, margin=margin, verdict="pass" if margin >= 0 else "fail")


@given(KINDS, FINITE, FINITE)
def test_a_distance_is_above_zero_exactly_where_the_bound_is_broken(kind: str, limit: float, value: float) -> None:
    check = check_of(kind, limit, value)
    found = distance(check)
    assert (found > 0) == (check.verdict == "fail")
    assert -2 <= found <= 2


@given(KINDS, FINITE, FINITE, st.integers(-20, 20))
def test_a_distance_is_the_same_in_every_unit(kind: str, limit: float, value: float, power: int) -> None:
    factor = 2.0**power
    assert distance(check_of(kind, limit, value)) == pytest.approx(
        distance(check_of(kind, limit * factor, value * factor)), abs=1e-12
    )


@given(st.floats(0.5, 1), st.floats(0.1, 2), st.floats(0.1, 2))
def test_the_farther_beyond_the_bound_the_greater(limit: float, one: float, other: float) -> None:
    nearer, farther = sorted((one, other))
    assert distance(check_of("max", limit, limit + nearer)) <= distance(check_of("max", limit, limit + farther))


@given(st.floats(0.5, 1), st.floats(0.9, 0.999))
def test_with_confidence_the_sign_is_the_interval_s_verdict(least: float, confidence: float) -> None:
    agreement = {"argmax_agreement": Bound(min=least)}
    acceptance = Acceptance(parity=agreement, confidence=confidence)
    lenient = Acceptance(parity=agreement, confidence=confidence, on_inconclusive="accept")
    for bounds in (acceptance, lenient):
        verdict = judge(bounds, MEASUREMENT)
        outcome = Outcome(recipe="r", status=verdict.status, seconds=0, checks=verdict.checks)
        assert (max(distances(outcome).values()) <= 0) == (verdict.status == "accepted")


def test_bounds_that_are_no_numbers_are_kept_or_broken() -> None:
    acceptance = Acceptance(model=ModelIntent(input_type="int8", output_type="int8", select_tf_ops=False))
    verdict = judge(acceptance, MEASUREMENT)
    outcome = Outcome(recipe="r", status=verdict.status, seconds=0, checks=verdict.checks)
    assert distances(outcome) == {"model.input_type": -1, "model.output_type": 1, "model.select_tf_ops": -1}


def test_what_could_not_be_judged_is_broken_and_a_section_without_a_bound_is_nothing() -> None:
    not_run = msgspec.structs.replace(measured(900, 20), samples=None, parity={}, task={}, latency=None)
    acceptance = Acceptance(parity={"sqnr_db": Bound(min=15)}, size={"bytes": Bound(max=1000)})
    verdict = judge(acceptance, not_run)
    outcome = Outcome(recipe="r", status=verdict.status, seconds=0, checks=verdict.checks)
    assert distances(outcome) == {"parity.sqnr_db.min": 1, "size.bytes.max": pytest.approx(-0.1)}
