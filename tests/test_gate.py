from __future__ import annotations

from math import inf, nan
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET

from recipekit.acceptance import BOUNDS, METRICS, Acceptance, Bound, Check, ModelIntent
from recipekit.contracts import (
    Census,
    FloatOperators,
    Latency,
    Measurement,
    PairedCounts,
    Parity,
    QuantizedTensor,
    SampleSet,
    TargetReport,
    TaskScore,
)
from recipekit.errors import EvaluationError
from recipekit.gate import judge

PARITY = Parity(
    max_abs_error=0.25,
    mean_abs_error=0.05,
    rmse=0.08,
    l2=0.3,
    cosine_similarity=0.99,
    sqnr_db=20.0,
    argmax_agreement=0.97,
    agreeing=97,
    rows=100,
)
ACCURACY = TaskScore(
    float_value=0.97,
    converted_value=0.95,
    higher_is_better=True,
    paired=PairedCounts(both=940, only_float=30, only_converted=10, neither=20),
)
MEAN_ERROR = TaskScore(
    float_value=2.0,
    converted_value=2.5,
    higher_is_better=False,
    replicates=tuple((2 + step / 100, step / 100) for step in range(101)),
)
CENSUS = Census(
    inputs=(QuantizedTensor(name="image", dtype="int8", shape=(1, 8, 8, 1), scale=0.1, zero_point=3),),
    outputs=(QuantizedTensor(name="logits", dtype="float32", shape=(1, 10)),),
    operators=(),
    float_ops=2,
    float_op_names=("FFT", "SOFTMAX"),
    custom_ops=("MyOp",),
    select_tf_ops=(),
    subgraphs=1,
    tensors=9,
    min_runtime_version="2.17.0",
)
MEASUREMENT = Measurement(
    samples=SampleSet(path="samples.jsonl", sha256="0" * 64, count=1000, labelled=True),
    parity={"logits": PARITY},
    task={"top1_accuracy": ACCURACY, "mae": MEAN_ERROR},
    size=300_000,
    float32_size=1_000_000,
    latency=Latency(p50_ms=6.0, p90_ms=7.0, mean_ms=6.5),
    float32_latency=Latency(p50_ms=5.0, p90_ms=6.0, mean_ms=5.5),
    census=CENSUS,
    target=TargetReport(
        compiler="vela 5.2.0",
        accelerator="Ethos_U55_128",
        system_config="Ethos_U55_High_End_Embedded",
        memory_mode="Shared_Sram",
        size=80_000,
        sram_kib=72.5,
        dram_kib=1.0,
        on_chip_flash_kib=2.0,
        off_chip_flash_kib=74.25,
        inference_ms=0.5,
        cycles=220_870,
        macs=7_491_972,
        npu_operators=18,
        cpu_operators=2,
        cpu_operator_names=("GATHER", "SOFTMAX"),
    ),
)


def acceptance(section: str, metric: str, **limits: float) -> Acceptance:
    return msgspec.convert({section: {metric: limits}}, Acceptance)


def only_check(bounds: Acceptance, measurement: Measurement = MEASUREMENT) -> Check:
    (check,) = judge(bounds, measurement).checks
    return check


def with_parity(**outputs: Parity) -> Measurement:
    return msgspec.structs.replace(MEASUREMENT, parity=outputs)


# --- every number that a bound can name ---------------------------------------------------------------------------

NUMBERS = [
    ("parity", "max_abs_error", "max", 0.25),
    ("parity", "mean_abs_error", "max", 0.05),
    ("parity", "rmse", "max", 0.08),
    ("parity", "l2", "max", 0.3),
    ("parity", "cosine_similarity", "min", 0.99),
    ("parity", "sqnr_db", "min", 20.0),
    ("parity", "argmax_agreement", "min", 0.97),
    ("task", "top1_accuracy", "min", 0.95),
    ("task", "top1_accuracy", "max", 0.95),
    ("task", "top1_accuracy", "max_drop", 0.02),
    ("task", "top1_accuracy", "max_relative_drop", 0.02 / 0.97),
    ("task", "mae", "max", 2.5),
    ("task", "mae", "max_drop", 0.5),
    ("task", "mae", "max_relative_drop", 0.25),
    ("size", "bytes", "max", 300_000),
    ("size", "bytes", "min", 300_000),
    ("size", "ratio", "max", 0.3),
    ("latency", "p50_ms", "max", 6.0),
    ("latency", "p90_ms", "max", 7.0),
    ("latency", "mean_ms", "max", 6.5),
    ("latency", "ratio", "max", 1.2),
    ("target", "sram_kib", "max", 72.5),
    ("target", "dram_kib", "max", 1.0),
    ("target", "flash_kib", "max", 76.25),
    ("target", "on_chip_flash_kib", "max", 2.0),
    ("target", "off_chip_flash_kib", "max", 74.25),
    ("target", "inference_ms", "max", 0.5),
    ("target", "cycles", "max", 220_870),
    ("target", "npu_operators", "min", 18),
    ("target", "npu_operators", "min_ratio", 0.9),
    ("target", "cpu_operators", "max", 2),
    ("target", "cpu_operators", "max_ratio", 0.1),
]


def test_the_table_below_names_every_metric_with_a_fixed_name() -> None:
    named = {(section, metric) for section, metric, _, _ in NUMBERS}
    assert {(section, metric) for section, metrics in METRICS.items() for metric in metrics} <= named


@pytest.mark.parametrize(("section", "metric", "kind", "value"), NUMBERS)
def test_a_value_on_the_limit_passes_and_a_value_beyond_it_fails(
    section: str, metric: str, kind: str, value: float
) -> None:
    step = -0.001 if kind.startswith("min") else 0.001
    on = judge(acceptance(section, metric, **{kind: value}), MEASUREMENT)
    looser = only_check(acceptance(section, metric, **{kind: value + step}))
    tighter = judge(acceptance(section, metric, **{kind: value - step}), MEASUREMENT)
    assert on.status == "accepted"
    assert (on.checks[0].name, on.checks[0].limit, on.checks[0].value) == (f"{section}.{metric}.{kind}", value, value)
    assert on.checks[0].margin == 0
    assert looser.margin == pytest.approx(0.001)
    assert tighter.status == "rejected"
    assert tighter.checks[0].verdict == "fail"
    assert tighter.checks[0].margin == pytest.approx(-0.001)


def test_a_bound_on_operators_names_those_that_are_left_to_the_cpu() -> None:
    check = only_check(acceptance("target", "npu_operators", min_ratio=1.0))
    assert (check.value, check.verdict, check.detail) == (0.9, "fail", "on the CPU: GATHER, SOFTMAX")


def test_a_target_is_judged_where_nothing_was_run() -> None:
    unrun = msgspec.structs.replace(MEASUREMENT, samples=None, not_run="no runtime", parity={}, task={}, latency=None)
    verdict = judge(acceptance("target", "sram_kib", max=72), unrun)
    assert verdict.status == "rejected"


def test_a_gain_is_a_negative_drop() -> None:
    better = TaskScore(float_value=2.0, converted_value=1.5, higher_is_better=False)
    check = only_check(
        acceptance("task", "mae", max_drop=0.0), msgspec.structs.replace(MEASUREMENT, task={"mae": better})
    )
    assert (check.value, check.margin, check.verdict) == (-0.5, 0.5, "pass")


def test_every_limit_of_a_bound_is_a_check_of_its_own() -> None:
    verdict = judge(acceptance("task", "top1_accuracy", min=0.9, max_drop=0.01), MEASUREMENT)
    assert [(check.name, check.verdict) for check in verdict.checks] == [
        ("task.top1_accuracy.min", "pass"),
        ("task.top1_accuracy.max_drop", "fail"),
    ]
    assert verdict.status == "rejected"


# --- outputs ------------------------------------------------------------------------------------------------------


@given(st.lists(st.integers(0, 100), min_size=1, max_size=5), st.integers(0, 100))
def test_the_worst_output_decides(values: list[int], limit: int) -> None:
    outputs = {
        f"out{index}": msgspec.structs.replace(PARITY, sqnr_db=value, rmse=value) for index, value in enumerate(values)
    }
    least = only_check(acceptance("parity", "sqnr_db", min=limit), with_parity(**outputs))
    greatest = only_check(acceptance("parity", "rmse", max=limit), with_parity(**outputs))
    assert (least.value, least.verdict) == (min(values), "pass" if min(values) >= limit else "fail")
    assert (greatest.value, greatest.verdict) == (max(values), "pass" if max(values) <= limit else "fail")
    assert f"'out{values.index(min(values))}'" in least.detail


def test_an_output_without_classes_does_not_count_for_agreement() -> None:
    boxes = msgspec.structs.replace(PARITY, argmax_agreement=None, agreeing=None, rows=None)
    check = only_check(acceptance("parity", "argmax_agreement", min=0.9), with_parity(boxes=boxes, classes=PARITY))
    assert (check.value, check.detail) == (0.97, "output 'classes'")


def test_with_confidence_an_uncertain_output_is_worse_than_one_with_a_lower_value() -> None:
    few = msgspec.structs.replace(PARITY, argmax_agreement=1.0, agreeing=5, rows=5)
    many = msgspec.structs.replace(PARITY, argmax_agreement=0.97, agreeing=97_000, rows=100_000)
    bounds = msgspec.structs.replace(acceptance("parity", "argmax_agreement", min=0.95), confidence=0.95)
    check = only_check(bounds, with_parity(few=few, many=many))
    assert (check.value, check.verdict, check.detail) == (1.0, "inconclusive", "worst of 2 outputs: 'few'")


# --- the file itself ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("intent", "name", "verdict", "value", "detail"),
    [
        (ModelIntent(input_type="int8"), "model.input_type", "pass", "int8", ""),
        (ModelIntent(input_type="uint8"), "model.input_type", "fail", "int8", "'image' is int8"),
        (ModelIntent(output_type="float32"), "model.output_type", "pass", "float32", ""),
        (ModelIntent(output_type="int8"), "model.output_type", "fail", "float32", "'logits' is float32"),
        (ModelIntent(select_tf_ops=False), "model.select_tf_ops", "pass", False, ""),
        (ModelIntent(select_tf_ops=True), "model.select_tf_ops", "pass", False, ""),
        (ModelIntent(custom_ops=False), "model.custom_ops", "fail", True, "MyOp"),
        (ModelIntent(custom_ops=True), "model.custom_ops", "pass", True, "MyOp"),
        (ModelIntent(float_ops=Bound(max=2)), "model.float_ops.max", "pass", 2, "FFT, SOFTMAX"),
        (ModelIntent(float_ops=Bound(max=0)), "model.float_ops.max", "fail", 2, "FFT, SOFTMAX"),
    ],
)
def test_an_intention_is_held_against_the_census(
    intent: ModelIntent, name: str, verdict: str, value: Any, detail: str
) -> None:
    check = only_check(Acceptance(model=intent))
    assert (check.name, check.verdict, check.value, check.detail) == (name, verdict, value, detail)


PLACES = (
    FloatOperators(op="FFT", places=("a (A)", "b (A)", "c (C)", "d (D)")),
    FloatOperators(op="SOFTMAX", places=()),
)


def test_operators_in_float_are_placed_and_the_way_out_is_told_where_they_fail() -> None:
    located = msgspec.structs.replace(MEASUREMENT, census=msgspec.structs.replace(CENSUS, float_places=PLACES))
    placed = "FFT in a (A), b (A), c (C) and 1 more, SOFTMAX"
    assert only_check(Acceptance(model=ModelIntent(float_ops=Bound(max=2))), located).detail == placed
    failed = only_check(Acceptance(model=ModelIntent(float_ops=Bound(max=0))), located).detail
    assert failed.startswith(f"{placed}; ")
    assert "`custom_layers.replace` (docs/operators.md)" in failed
    assert "`converter.rules`" in failed


def test_one_input_of_another_type_fails_the_type() -> None:
    mask = QuantizedTensor(name="mask", dtype="bool", shape=(1, 8))
    census = msgspec.structs.replace(CENSUS, inputs=(*CENSUS.inputs, mask))
    check = only_check(
        Acceptance(model=ModelIntent(input_type="int8")), msgspec.structs.replace(MEASUREMENT, census=census)
    )
    assert (check.verdict, check.value, check.detail) == ("fail", "bool, int8", "'mask' is bool")


# --- what can't be judged -----------------------------------------------------------------------------------------


def test_no_bound_at_all_is_accepted_without_checks() -> None:
    verdict = judge(Acceptance(), MEASUREMENT)
    assert (verdict.status, verdict.checks) == ("accepted", ())


@pytest.mark.parametrize("bounds", [Acceptance(), acceptance("size", "bytes", max=1)])
def test_without_a_measurement_nothing_is_judged(bounds: Acceptance) -> None:
    verdict = judge(bounds, None)
    assert (verdict.status, verdict.checks) == ("not-judged", ())


NO_CLASSES = msgspec.structs.replace(PARITY, argmax_agreement=None, agreeing=None, rows=None)
ZERO = TaskScore(float_value=0.0, converted_value=0.0, higher_is_better=True)


@pytest.mark.parametrize(
    ("bounds", "changes", "message"),
    [
        (acceptance("latency", "p50_ms", max=1), {"latency": None}, "latency.p50_ms.max .* no benchmark"),
        (acceptance("latency", "ratio", max=1), {"float32_latency": None}, "latency.ratio.max .* no benchmark"),
        (
            acceptance("parity", "argmax_agreement", min=0.5),
            {"parity": {"logits": NO_CLASSES}},
            "parity.argmax_agreement.min .* no output has classes",
        ),
        (acceptance("parity", "rmse", max=1), {"parity": {}}, "parity.rmse.max .* no output was compared"),
        (acceptance("task", "f1", min=0.5), {}, "task.f1.min .* mae, top1_accuracy"),
        (acceptance("task", "f1", min=0.5), {"task": {}}, "task.f1.min .* none"),
        (
            acceptance("task", "f1", max_relative_drop=0.5),
            {"task": {"f1": ZERO}},
            "task.f1.max_relative_drop .* value is 0",
        ),
        (
            acceptance("target", "sram_kib", max=256),
            {"target": UNSET},
            "target.sram_kib.max .* no artifact's compiler ran",
        ),
        (acceptance("target", "sram_kib", max_ratio=1), {}, "target.sram_kib.max_ratio .* no share"),
        (acceptance("parity", "sqnr", min=1), {}, "parity.sqnr.min .* no such bound"),
        (acceptance("size", "bytes", max_drop=1), {}, "size.bytes.max_drop .* no such bound"),
        (Acceptance(model=ModelIntent(float_ops=Bound(max_ratio=1))), {}, "model.float_ops.max_ratio .* no such bound"),
    ],
)
def test_a_bound_on_what_nobody_measured_is_named(bounds: Acceptance, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(EvaluationError, match=message):
        judge(bounds, msgspec.structs.replace(MEASUREMENT, **changes))


def test_confidence_without_an_interval_is_refused() -> None:
    score = msgspec.structs.replace(MEAN_ERROR, replicates=())
    bounds = msgspec.structs.replace(acceptance("task", "mae", max=3), confidence=0.95)
    with pytest.raises(EvaluationError, match=r"task\.mae\.max .* no bootstrap replicates"):
        judge(bounds, msgspec.structs.replace(MEASUREMENT, task={"mae": score}))


@pytest.mark.parametrize("value", [nan, inf, -inf])
@pytest.mark.parametrize(
    ("part", "changed", "field"),
    [
        *[("parity", PARITY, field) for field in METRICS["parity"]],
        ("task", ACCURACY, "float_value"),
        ("task", ACCURACY, "converted_value"),
        ("latency", MEASUREMENT.latency, "p50_ms"),
        ("float32_latency", MEASUREMENT.float32_latency, "mean_ms"),
    ],
)
def test_a_number_that_is_not_finite_is_never_accepted(part: str, changed: Any, field: str, value: float) -> None:
    broken = msgspec.structs.replace(changed, **{field: value})
    inside = {"parity": {"logits": broken}, "task": {"top1_accuracy": broken}}
    with pytest.raises(EvaluationError, match=field):
        judge(Acceptance(), msgspec.structs.replace(MEASUREMENT, **{part: inside.get(part, broken)}))


def test_a_replicate_that_is_not_finite_is_refused() -> None:
    score = msgspec.structs.replace(MEAN_ERROR, replicates=((2.0, nan),))
    with pytest.raises(EvaluationError, match=r"task\.mae\.replicates"):
        judge(Acceptance(), msgspec.structs.replace(MEASUREMENT, task={"mae": score}))


# --- intervals ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "certain", "open_", "hopeless"),
    [("min", 0.93, 0.95, 0.97), ("max_drop", 0.04, 0.02, 0.001), ("max_relative_drop", 0.04, 0.02, 0.001)],
)
def test_with_confidence_the_whole_interval_decides(kind: str, certain: float, open_: float, hopeless: float) -> None:
    verdicts = [
        only_check(
            msgspec.structs.replace(acceptance("task", "top1_accuracy", **{kind: limit}), confidence=0.95)
        ).verdict
        for limit in (certain, open_, hopeless)
    ]
    assert verdicts == ["pass", "inconclusive", "fail"]


@pytest.mark.parametrize(("choice", "status"), [("accept", "accepted"), ("reject", "rejected")])
def test_an_inconclusive_check_goes_the_way_that_the_recipe_says(choice: str, status: str) -> None:
    bounds = msgspec.convert(
        {"task": {"top1_accuracy": {"min": 0.95}}, "confidence": 0.95, "on_inconclusive": choice}, Acceptance
    )
    verdict = judge(bounds, MEASUREMENT)
    assert (verdict.checks[0].verdict, verdict.status) == ("inconclusive", status)


def test_a_failed_check_is_rejected_even_where_inconclusive_ones_are_accepted() -> None:
    bounds = Acceptance(
        task={"top1_accuracy": Bound(min=0.95)},
        size={"bytes": Bound(max=1)},
        confidence=0.95,
        on_inconclusive="accept",
    )
    assert judge(bounds, MEASUREMENT).status == "rejected"


def test_without_confidence_the_interval_is_shown_and_does_not_decide() -> None:
    check = only_check(acceptance("task", "top1_accuracy", min=0.95))
    assert check.verdict == "pass"
    assert check.interval is not None
    assert check.interval[0] < check.limit < check.interval[1]  # type: ignore[operator]  # numbers, in this section


def test_sizes_and_latencies_have_no_interval_and_are_judged_by_their_value() -> None:
    bounds = Acceptance(size={"bytes": Bound(max=300_000)}, latency={"p50_ms": Bound(max=5)}, confidence=0.99)
    verdict = judge(bounds, MEASUREMENT)
    assert [(check.verdict, check.interval) for check in verdict.checks] == [("pass", None), ("fail", None)]


# --- laws over all bounds -----------------------------------------------------------------------------------------

limits = st.floats(-10, 110, allow_nan=False)
TASKS = {"top1_accuracy", "mae"}


@st.composite
def acceptances(draw: st.DrawFn) -> Acceptance:
    def section(name: str, metrics: tuple[str, ...]) -> dict[str, Bound]:
        kinds = st.sets(st.sampled_from(BOUNDS[name]), max_size=3)
        chosen = draw(st.sets(st.sampled_from(metrics)))
        return {metric: Bound(**{kind: draw(limits) for kind in draw(kinds)}) for metric in sorted(chosen)}

    return Acceptance(
        parity=section("parity", METRICS["parity"]),
        task=section("task", tuple(sorted(TASKS))),
        size=section("size", METRICS["size"]),
        latency=section("latency", METRICS["latency"]),
        confidence=draw(st.sampled_from([None, 0.5, 0.95])),
        on_inconclusive=draw(st.sampled_from(["reject", "accept"])),
    )


@pytest.mark.slow
@given(acceptances())
def test_the_verdict_is_that_all_checks_are_good_enough(bounds: Acceptance) -> None:
    verdict = judge(bounds, MEASUREMENT)
    enough = {"pass", "inconclusive"} if bounds.on_inconclusive == "accept" else {"pass"}
    assert (verdict.status == "accepted") == all(check.verdict in enough for check in verdict.checks)


@pytest.mark.slow
@given(acceptances())
def test_every_limit_is_checked_once_and_passes_with_a_margin_only(bounds: Acceptance) -> None:
    verdict = judge(bounds, MEASUREMENT)
    sections = {"parity": bounds.parity, "task": bounds.task, "size": bounds.size, "latency": bounds.latency}
    assert [check.name for check in verdict.checks] == [
        f"{section}.{metric}.{kind}"
        for section, metrics in sections.items()
        for metric, bound in metrics.items()
        for kind in bound.limits()
    ]
    for check in verdict.checks:
        assert check.margin is not None
        assert check.verdict != "pass" or check.margin >= 0
        assert check.verdict != "fail" or check.margin < 0


@given(
    st.sampled_from([(section, metric, kind) for section, metric, kind, _ in NUMBERS]),
    limits,
    st.floats(0, 100),
    st.sampled_from([None, 0.5, 0.95]),
)
def test_loosening_a_bound_never_makes_its_verdict_worse(
    which: tuple[str, str, str], limit: float, by: float, confidence: float | None
) -> None:
    section, metric, kind = which
    order = ["fail", "inconclusive", "pass"]

    def rank(value: float) -> int:
        bounds = msgspec.structs.replace(acceptance(section, metric, **{kind: value}), confidence=confidence)
        return order.index(only_check(bounds).verdict)

    assert rank(limit - by if kind.startswith("min") else limit + by) >= rank(limit)


@pytest.mark.slow
@given(acceptances())
def test_a_verdict_survives_json(bounds: Acceptance) -> None:
    verdict = judge(bounds, MEASUREMENT)
    assert msgspec.json.decode(msgspec.json.encode(verdict), type=type(verdict)) == verdict


# --- a candidate that was not run ---------------------------------------------------------------------------------

NOT_RUN = msgspec.structs.replace(
    MEASUREMENT, samples=None, not_run="no runtime", parity={}, task={}, latency=None, float32_latency=None
)


@pytest.mark.slow
@given(acceptances())
def test_what_was_not_run_is_never_accepted_under_a_bound_on_a_run(bounds: Acceptance) -> None:
    verdict = judge(bounds, NOT_RUN)
    unjudged = {check.name for check in verdict.checks if check.verdict == "not-judged"}
    sections = {"parity": bounds.parity, "task": bounds.task, "latency": bounds.latency}
    assert {name.partition(".")[0] for name in unjudged} == set(sections)
    sizes = [check.verdict for check in verdict.checks if check.name.startswith("size.")]
    if "fail" in sizes:
        assert verdict.status == "rejected"
    else:
        limits_a_run = any(bound.limits() for section in sections.values() for bound in section.values())
        assert verdict.status == ("not-judged" if limits_a_run else "accepted")


def test_a_section_without_a_bound_is_said_to_be_unjudged_with_the_reason() -> None:
    parity = judge(acceptance("size", "bytes", max=1e6), NOT_RUN).checks[0]
    assert (parity.name, parity.limit, parity.value, parity.detail) == ("parity", None, None, "no runtime")


def test_a_file_that_breaks_a_bound_is_rejected_whatever_a_run_would_show() -> None:
    bounds = Acceptance(parity={"sqnr_db": Bound(min=1)}, model=ModelIntent(custom_ops=False))
    verdict = judge(bounds, NOT_RUN)
    assert verdict.status == "rejected"
    assert {check.name: check.verdict for check in verdict.checks}["parity.sqnr_db.min"] == "not-judged"
