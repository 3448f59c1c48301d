"""What the linter says of samples, and that it says nothing of good ones."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recipekit.contracts import FirstLayer, Signature
from recipekit.errors import DatasetError
from recipekit.lint import Examined, Finding, lint, refuse
from tests.lint.conftest import Examine
from tests.properties import at_most
from tests.readings import inputs

VECTOR = inputs(x=("float32", (None, 8)))


def normal(count: int, seed: int = 0, mean: float = 0.0, std: float = 1.0) -> list[Any]:
    return list(np.random.default_rng(seed).normal(mean, std, (count, 8)).astype(np.float32))


def found(
    calibration: Examined | None,
    evaluation: Examined | None = None,
    signature: Signature = VECTOR,
    layers: tuple[FirstLayer, ...] = (),
) -> dict[str, Finding]:
    """Findings by name, each name once."""
    findings = lint(signature, layers, calibration, evaluation)
    assert len({finding.name for finding in findings}) == len(findings)
    return {finding.name: finding for finding in findings}


# --- good samples ---------------------------------------------------------------------------------------------------


@settings(max_examples=at_most(30), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32 - 2), judged=st.integers(30, 300), mean=st.floats(-9, 9), std=st.floats(0.1, 99))
def test_nothing_is_said_of_two_samplings_of_one_distribution(
    examine: Examine, seed: int, judged: int, mean: float, std: float
) -> None:
    calibration = examine(normal(150, seed, mean, std), [i % 2 for i in range(150)])
    evaluation = examine(normal(judged, seed + 1, mean, std), [i % 2 for i in range(judged)], "evaluation")
    assert found(calibration, evaluation) == {}


# --- errors ---------------------------------------------------------------------------------------------------------


def test_a_misfit_is_an_error_at_the_first_sample_that_has_it(examine: Examine) -> None:
    samples = normal(120)
    samples[7] = samples[7][:5]
    samples[9] = samples[9][:5]
    finding = found(examine(samples))["input-shape"]
    assert finding.severity == "error"
    assert finding.place == "representative_dataset: frames sample 7 ('s7')"
    assert finding.what == "the input 'x' has a wrong shape: expected (8), got (5) (and 1 more samples)"


def test_values_that_are_not_finite_are_an_error_with_their_place(examine: Examine) -> None:
    samples = normal(120)
    samples[3][2] = np.nan
    finding = found(None, examine(samples, role="evaluation"))["non-finite"]
    assert finding.text.startswith("evaluation.dataset: frames sample 3 ('s3'): the input 'x' holds nan at (2); remove")


def test_all_errors_are_told_at_once_and_one_alone_as_itself(examine: Examine) -> None:
    samples = normal(120)
    samples[3][2] = np.inf
    one = lint(VECTOR, (), examine(samples), None)
    with pytest.raises(DatasetError, match=r"holds inf at \(2\) \[non-finite\]") as caught:
        refuse(one)
    assert (caught.value.exit_code, caught.value.where) == (5, "representative_dataset: frames sample 3 ('s3')")
    samples[5] = samples[5].astype(np.float64)
    with pytest.raises(DatasetError, match="the samples have 2 faults:") as caught:
        refuse(lint(VECTOR, (), examine(samples), None))
    assert "[non-finite]" in caught.value.what
    assert "[input-dtype]" in caught.value.what


def test_warnings_refuse_nothing(examine: Examine) -> None:
    findings = lint(VECTOR, (), examine(normal(9)), None)
    assert [finding.name for finding in findings] == ["few-samples"]
    refuse(findings)


# --- variety --------------------------------------------------------------------------------------------------------


def test_one_sample_again_and_again_is_an_error_where_ranges_come_from_and_else_a_warning(examine: Examine) -> None:
    same = [normal(1)[0]] * 120
    finding = found(examine(same))["repeated-sample"]
    assert finding.what == "all 120 samples are the same: sample 1 ('s1') is sample 0 ('s0')"
    assert finding.severity == "error"
    assert found(None, examine(same, role="evaluation"))["repeated-sample"].severity == "warning"


@pytest.mark.parametrize(("copies", "told"), [(6, False), (7, True), (118, True)])
def test_copies_are_told_above_one_in_twenty(examine: Examine, copies: int, told: bool) -> None:
    samples = normal(120)
    samples[1 : copies + 1] = [samples[0]] * copies
    names = found(examine(samples))
    assert ("duplicate-samples" in names) == told
    if told:
        assert names["duplicate-samples"].what.endswith("sample 1 ('s1') is sample 0 ('s0')")


def test_a_sample_without_content_and_an_input_that_never_changes_are_told(examine: Examine) -> None:
    samples = normal(120)
    samples[11] = np.full(8, 3, np.float32)
    assert found(examine(samples))["constant-sample"].place.endswith("sample 11 ('s11')")
    two = inputs(x=("float32", (None, 8)), mask=("float32", (None, 4)))
    masked = [{"x": sample, "mask": np.ones(4, np.float32)} for sample in normal(120)]
    names = found(examine(masked), None, two)
    assert list(names) == ["constant-input"]
    assert names["constant-input"].what == "'mask' is 1 in all 120 samples"


def test_inputs_of_one_value_are_no_samples_without_content(examine: Examine) -> None:
    scalars = [np.array([value], np.float32) for value in np.linspace(0, 1, 120)]
    assert found(examine(scalars), None, inputs(x=("float32", (None, 1)))) == {}


def test_few_samples_are_told_unless_the_recipe_says_the_number_itself(examine: Examine) -> None:
    few = examine(normal(99))
    assert "99 calibration samples are few" in found(few)["few-samples"].what
    assert found(few._replace(requested=99)) == {}
    assert found(None, examine(normal(99), role="evaluation")) == {}


def test_samples_of_both_sets_are_told_whatever_their_tensors_are_called(examine: Examine) -> None:
    calibration, evaluation = normal(120), [{"x": sample} for sample in normal(60, seed=1)]
    calibration[40] = evaluation[17]["x"]
    finding = found(examine(calibration), examine(evaluation, role="evaluation"))["evaluation-overlap"]
    assert finding.place == "representative_dataset: frames sample 40 ('s40')"
    assert finding.what == (
        "1 of 120 calibration samples are evaluation samples, too: this one is frames sample 17 ('s17')"
    )


def test_classes_that_calibration_never_sees_are_told(examine: Examine) -> None:
    judged = examine(normal(100, seed=1), [i % 10 for i in range(100)], "evaluation")
    first_class_only = found(examine(normal(120), [0] * 120), judged)
    assert list(first_class_only) == ["missing-classes"]
    assert "of 1 classes, the evaluation has 10; '1', '2', '3', '4', '5' and 4 more are missing" in (
        first_class_only["missing-classes"].what
    )
    assert found(examine(normal(120), [i % 9 for i in range(120)]), judged) == {}


def test_more_classes_than_a_set_can_hold_are_no_fault(examine: Examine) -> None:
    judged = examine(normal(400, seed=1), list(range(400)), "evaluation")
    assert found(examine(normal(120), list(range(120))), judged) == {}


@pytest.mark.parametrize(("rare", "told"), [(20, False), (10, True)])
def test_a_set_nearly_of_one_class_is_told(examine: Examine, rare: int, told: bool) -> None:
    labels = ["cat"] * (100 - rare) + ["dog"] * rare
    assert list(found(None, examine(normal(100), labels, "evaluation"))) == (["class-imbalance"] if told else [])


def test_numbers_are_no_classes(examine: Examine) -> None:
    assert found(None, examine(normal(100), [0.5] * 99 + [0.7], "evaluation")) == {}


# --- scale ----------------------------------------------------------------------------------------------------------

PIXELS = FirstLayer(input="x", name="rescaling", kind="Rescaling", scale=1 / 255, offset=0.0)
SYMMETRIC = FirstLayer(input="x", name="rescaling", kind="Rescaling", scale=1 / 127.5, offset=-1.0)
ADAPTED = FirstLayer(input="x", name="normalization", kind="Normalization", scale=1 / 60, offset=-128 / 60)


def uniform(low: float, high: float, count: int = 120, seed: int = 0) -> list[Any]:
    return list(np.random.default_rng(seed).uniform(low, high, (count, 8)).astype(np.float32))


@pytest.mark.parametrize(
    ("layer", "low", "high", "told"),
    [
        (PIXELS, 0, 255, False),
        (PIXELS, 0, 1, True),
        (PIXELS, -1, 1, True),
        (PIXELS, 0, 65535, True),
        (SYMMETRIC, 0, 255, False),
        (SYMMETRIC, 0, 1, True),
        (ADAPTED, 0, 255, False),
        (ADAPTED, 0, 1, True),
        (ADAPTED, -2, 2, True),
        (ADAPTED, 0, 65535, True),
    ],
)
def test_values_that_the_models_own_layer_spoils_are_told(
    examine: Examine, layer: FirstLayer, low: float, high: float, told: bool
) -> None:
    names = found(examine(uniform(low, high)), None, VECTOR, (layer,))
    assert list(names) == (["input-range"] if told else [])
    if told:
        assert f"'{layer.name}' ({layer.kind})" in names["input-range"].what


def test_a_layer_of_another_input_says_nothing(examine: Examine) -> None:
    other = msgspec.structs.replace(PIXELS, input="y")
    assert found(examine(uniform(0, 1)), None, VECTOR, (other,)) == {}


@pytest.mark.parametrize(("low", "high"), [(0, 255), (50, 51.5)])
def test_sets_of_different_scales_are_told(examine: Examine, low: float, high: float) -> None:
    names = found(examine(uniform(0, 1)), examine(uniform(low, high, 60, 1), role="evaluation"))
    assert list(names) == ["distribution-mismatch"]


def test_identifiers_have_no_scale(examine: Examine) -> None:
    tokens = inputs(x=("int32", (None, 8)))
    low = [sample.astype(np.int32) for sample in uniform(0, 100)]
    high = [sample.astype(np.int32) for sample in uniform(0, 30000, 60, 1)]
    assert found(examine(low), examine(high, role="evaluation"), tokens) == {}


def test_samples_beyond_the_calibrated_range_are_told_with_the_farthest(examine: Examine) -> None:
    judged = uniform(0, 1, 60, 1)
    for index in range(10):
        judged[index][3] = -1 - index / 10
    finding = found(examine(uniform(0, 1)), examine(judged, role="evaluation"))["outside-calibrated-range"]
    assert finding.place == "evaluation.dataset: frames sample 9 ('s9')"
    assert "10 of 60 samples hold values of 'x' outside the calibrated range" in finding.what
    assert finding.what.endswith(" (2.1 % of all values), this one -1.9")  # 10 of 480


def test_few_values_beyond_the_calibrated_range_in_many_samples_are_told_as_few(examine: Examine) -> None:
    draw = np.random.default_rng(0)
    judged = list(draw.uniform(0, 1, (40, 2000)).astype(np.float32))
    for sample in judged[:20]:
        sample[7] = 3
    calibration = examine(list(draw.uniform(0, 1, (200, 2000)).astype(np.float32)))
    wide = inputs(x=("float32", (None, 2000)))
    finding = found(calibration, examine(judged, role="evaluation"), wide)["outside-calibrated-range"]
    assert "20 of 40 samples" in finding.what
    assert "(under 0.1 % of all values)" in finding.what  # 20 of 80,000


# --- cost -----------------------------------------------------------------------------------------------------------


def per_call(call: Callable[[], object]) -> float:
    started = time.process_time()
    for _ in range(100):
        call()
    return (time.process_time() - started) / 100


def test_a_child_of_a_sweep_pays_less_than_a_millisecond_for_ten_thousand_samples(examine: Examine) -> None:
    calibration = examine(normal(10_000), [i % 10 for i in range(10_000)])
    evaluation = examine(normal(2_000, seed=1), [i % 10 for i in range(2_000)], "evaluation")
    lint(VECTOR, (), calibration, evaluation)
    assert min(per_call(lambda: lint(VECTOR, (), calibration, evaluation)) for _ in range(3)) < 0.001
