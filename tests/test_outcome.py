"""An outcome is data: one row, one exit code, the same after a trip through JSON."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recipekit.acceptance import Check
from recipekit.contracts import Census, Latency, Measurement, Parity, SampleSet, TaskScore
from recipekit.errors import DatasetError, RecipekitError
from recipekit.outcome import WORST_FIRST, Failure, Outcome, worst_exit_code

MEASUREMENT = Measurement(
    samples=SampleSet(path="/s.jsonl", sha256="0" * 64, count=3, labelled=True),
    parity={
        name: Parity(max_abs_error=0.1, mean_abs_error=0.1, rmse=0.1, l2=0.1, cosine_similarity=0.9, sqnr_db=sqnr)
        for name, sqnr in (("logits", 31.5), ("boxes", 12.25))
    },
    task={},
    size=1234,
    float32_size=4321,
    latency=None,
    float32_latency=None,
    census=Census(
        inputs=(),
        outputs=(),
        operators=(),
        float_ops=0,
        float_op_names=(),
        custom_ops=(),
        select_tf_ops=(),
        subgraphs=1,
        tensors=2,
        min_runtime_version="",
    ),
)


def outcome(**changes: Any) -> Outcome:
    return Outcome(**{"recipe": "digits", "status": "accepted", "seconds": 1.5, "measurement": MEASUREMENT, **changes})


@pytest.mark.parametrize(("status", "code"), [("accepted", 0), ("rejected", 3), ("not-judged", 4)])
def test_a_verdict_has_its_exit_code(status: str, code: int) -> None:
    assert outcome(status=status).exit_code == code


@pytest.mark.parametrize("cls", RecipekitError.__subclasses__())
def test_a_failure_exits_as_its_error_would(cls: type[RecipekitError]) -> None:
    failure = Failure.of(cls("what", where="where", fix="fix"))
    assert (failure.id, failure.what, failure.where, failure.fix) == (cls.id, "what", "where", "fix")
    assert outcome(status="failed", measurement=None, failure=failure).exit_code == cls.exit_code


def test_the_worst_output_speaks_for_parity() -> None:
    assert outcome().sqnr_db == 12.25
    assert outcome(measurement=None).sqnr_db is None
    assert outcome(measurement=msgspec.structs.replace(MEASUREMENT, parity={})).sqnr_db is None


def test_a_row_is_flat_and_json() -> None:
    row = outcome(overrides=("seed=1", "converter=int8"), number=2, name="digits", output="/o").row()
    assert json.loads(json.dumps(row)) == row
    assert (row["number"], row["verdict"], row["size"], row["sqnr_db"]) == (2, "accepted", 1234, 12.25)
    assert (row["error"], row["overrides"]) == (None, ["seed=1", "converter=int8"])


def test_a_row_of_a_failure_names_the_error_and_has_the_same_columns() -> None:
    failure = Failure.of(DatasetError("sample 3 is empty", where="digits"))
    row = outcome(status="failed", measurement=None, failure=failure).row()
    assert row["error"] == "RK311 sample 3 is empty"
    assert (row["size"], row["sqnr_db"], row["exit_code"]) == (None, None, 5)
    assert row.keys() == outcome().row().keys()
    table = csv.DictWriter(io.StringIO(), fieldnames=list(row))
    table.writerow(outcome().row())


def test_an_outcome_survives_json() -> None:
    checks = (Check(name="size.bytes.max", limit=10, value=9.5, margin=0.5, verdict="pass", interval=(1.0, 2.0)),)
    for sent in (outcome(checks=checks), outcome(failure=Failure.of(DatasetError("x")), status="failed")):
        assert msgspec.json.decode(msgspec.json.encode(sent), type=Outcome) == sent


@given(st.lists(st.sampled_from(WORST_FIRST)))
def test_a_sweep_ends_with_its_worst_child(codes: list[int]) -> None:
    worst = worst_exit_code(codes)
    assert worst in (codes or [0])
    assert all(WORST_FIRST.index(worst) <= WORST_FIRST.index(code) for code in codes)


def test_the_order_of_exit_codes_is_the_documented_one() -> None:
    assert WORST_FIRST == (1, 7, 2, 5, 4, 6, 3, 0)
    assert worst_exit_code([0, 3, 2, 4]) == 2


def test_a_row_tells_what_was_measured_against_the_float_model() -> None:
    parity = {
        name: msgspec.structs.replace(MEASUREMENT.parity["logits"], argmax_agreement=share)
        for name, share in (("logits", 0.99), ("boxes", None), ("classes", 0.97))
    }
    scores = {
        "top1_accuracy": TaskScore(float_value=0.97, converted_value=0.95, higher_is_better=True),
        "mae": TaskScore(float_value=2.0, converted_value=2.5, higher_is_better=False),
    }
    latency = Latency(p50_ms=1.5, p90_ms=2.0, mean_ms=1.6)
    measured = msgspec.structs.replace(MEASUREMENT, parity=parity, task=scores, latency=latency)
    row = outcome(measurement=measured, version="1.0.0", build_key="ab").row()
    assert (row["version"], row["build_key"], row["ratio"]) == ("1.0.0", "ab", 1234 / 4321)
    assert (row["argmax_agreement"], row["latency_p50_ms"]) == (0.97, 1.5)
    assert (row["task.top1_accuracy"], row["task.top1_accuracy.float"]) == (0.95, 0.97)
    assert row["task.top1_accuracy.drop"] == pytest.approx(0.02)
    assert (row["task.mae.drop"], row["task.mae.better"]) == (0.5, "lower")


def test_the_checks_that_kept_a_model_from_being_accepted_are_named() -> None:
    checks = tuple(
        Check(name=f"{verdict} {number}", limit=1, value=2, margin=-1, verdict=verdict)
        for verdict in ("pass", "not-judged", "inconclusive", "fail")
        for number in (1, 2)
    )
    assert outcome(status="rejected", checks=checks).row()["failed_checks"] == ["fail 1", "fail 2"]
    assert outcome(status="rejected", checks=checks[:6]).failed_checks == ("inconclusive 1", "inconclusive 2")
    assert outcome(status="not-judged", checks=checks[:4]).failed_checks == ("not-judged 1", "not-judged 2")
    assert outcome(status="accepted", checks=checks[:6]).failed_checks == ()
    assert outcome(status="failed").failed_checks == ()
