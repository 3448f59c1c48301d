"""Whatever is measured and whatever is bounded, the verdict that follows is the one that verifies, and no other."""

from __future__ import annotations

import copy
import json
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from recipekit.acceptance import Acceptance
from recipekit.audit.consistency import judgement_contradictions
from recipekit.contracts import Measurement
from recipekit.gate import judge
from recipekit.publication import RESULTS_SCHEMA, recorded_check, recorded_metrics
from tests.whole_outputs import MEASUREMENT, MODEL, SAMPLES

NUMBERS = st.floats(-1e6, 1e6, allow_nan=False)
SHARES = st.floats(0, 1)
KEY = "a" * 64

BOUNDS = st.fixed_dictionaries(
    {
        "parity": st.dictionaries(
            st.sampled_from(["sqnr_db", "max_abs_error", "argmax_agreement"]),
            st.one_of(st.fixed_dictionaries({"min": NUMBERS}), st.fixed_dictionaries({"max": NUMBERS})),
        ),
        "task": st.dictionaries(
            st.just("top1_accuracy"), st.fixed_dictionaries({"max_drop": SHARES}, optional={"min": SHARES})
        ),
        "size": st.dictionaries(st.sampled_from(["bytes", "ratio"]), st.fixed_dictionaries({"max": NUMBERS})),
        "latency": st.dictionaries(st.sampled_from(["p50_ms", "ratio"]), st.fixed_dictionaries({"max": NUMBERS})),
        "model": st.sampled_from([{}, {"select_tf_ops": False}, {"input_type": "int8", "output_type": "int8"}]),
        "target": st.just({}),
        "confidence": st.none() | st.floats(0.5, 0.99),
        "on_inconclusive": st.sampled_from(["reject", "accept"]),
    }
)


@st.composite
def measurements(draw: st.DrawFn) -> Measurement:
    logits = msgspec.structs.replace(
        MEASUREMENT.parity["logits"], sqnr_db=draw(NUMBERS), max_abs_error=draw(NUMBERS), argmax_agreement=draw(SHARES)
    )
    return msgspec.structs.replace(
        MEASUREMENT,
        parity={"logits": logits, "boxes": MEASUREMENT.parity["logits"]},
        float32_size=draw(st.integers(1, 10**6)),
    )


def records(bounds: dict[str, Any], measurement: Measurement) -> tuple[dict[str, Any], dict[str, Any]]:
    """The parts of a manifest, and of results, that a judgement leaves; as they come back from their files."""
    acceptance = msgspec.convert({**bounds, "model": bounds["model"] or None}, Acceptance)
    verdict = judge(acceptance, measurement)
    results = {
        "schema": RESULTS_SCHEMA,
        "name": "digits",
        "version": "1.0.0",
        "build_key": KEY,
        "verdict": verdict.status,
        "checks": msgspec.to_builtins(verdict.checks),
        "measurement": msgspec.to_builtins(measurement),
        "stages": [{"name": "load", "seconds": 1.5, "found": False}],
    }
    annotations = {
        "size": 1,
        "verdict": verdict.status,
        "buildKey": KEY,
        "metrics": recorded_metrics(measurement),
        "checks": [recorded_check(check) for check in verdict.checks],
        "timingsSeconds": {"load": 1.5},
    }
    parameters = {"recipe": {"name": "digits", "version": "1.0.0"}, "resolvedConfig": {"acceptance": bounds}}
    file = {"digest": {"sha256": "0" * 64}}
    manifest = {
        "subject": [{"name": "model.tflite", **file, "annotations": {"size": len(MODEL)}}],
        "predicate": {
            "buildDefinition": {"externalParameters": parameters},
            "runDetails": {"byproducts": [{"name": "results.json", **file, "annotations": annotations}]},
        },
    }
    manifest, results = json.loads(json.dumps([manifest, results]))
    return manifest, results


def annotations_of(manifest: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = manifest["predicate"]["runDetails"]["byproducts"][0]["annotations"]
    return found


@given(BOUNDS, measurements())
def test_what_the_gate_said_is_what_it_says_again(bounds: dict[str, Any], measurement: Measurement) -> None:
    manifest, results = records(bounds, measurement)
    assert list(judgement_contradictions(manifest, results)) == []


@given(BOUNDS, measurements(), st.data())
def test_any_other_verdict_in_either_file_is_named(
    bounds: dict[str, Any], measurement: Measurement, data: st.DataObject
) -> None:
    manifest, results = records(bounds, measurement)
    other = data.draw(st.sampled_from(sorted({"accepted", "rejected", "not-judged"} - {results["verdict"]})))
    changed = data.draw(st.sets(st.sampled_from(["manifest.json", "results.json"]), min_size=1))
    expected = results["verdict"]
    if "manifest.json" in changed:
        annotations_of(manifest)["verdict"] = other
    if "results.json" in changed:
        results["verdict"] = other
    found = {(it.place, it.expected, it.got) for it in judgement_contradictions(manifest, results)}
    assert found == {(f"{file} verdict", expected, other) for file in changed}


@given(BOUNDS, measurements(), NUMBERS)
def test_another_measured_number_is_named(bounds: dict[str, Any], measurement: Measurement, number: float) -> None:
    manifest, results = records(bounds, measurement)
    before = results["measurement"]["parity"]["logits"]["sqnr_db"]
    results["measurement"]["parity"]["logits"]["sqnr_db"] = number
    found = list(judgement_contradictions(manifest, results))
    assert bool(found) == (number != before)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, child in children for place in places(child, (*path, key)))]


@given(st.data(), JSON)
def test_results_that_a_stranger_wrote_are_wrong_or_right_and_nothing_worse(data: st.DataObject, junk: Any) -> None:
    bounds = {**msgspec.to_builtins(Acceptance()), "model": {}, "size": {"ratio": {"max": 0.4}}}
    manifest, results = records(bounds, MEASUREMENT)
    path = data.draw(st.sampled_from(places(results)))
    holder: Any = {"results": results}
    for key in ("results", *path)[:-1]:
        holder = holder[key]
    before = copy.deepcopy(holder[("results", *path)[-1]])
    holder[("results", *path)[-1]] = junk
    found = list(judgement_contradictions(manifest, holder["results"] if not path else results))
    assert all(difference.place for difference in found)
    if path and path[0] in {"verdict", "checks", "build_key", "name", "version", "schema"} and junk != before:
        assert found


@given(st.data(), JSON)
def test_bounds_that_a_stranger_wrote_are_wrong_or_right_and_nothing_worse(data: st.DataObject, junk: Any) -> None:
    bounds = {**msgspec.to_builtins(Acceptance()), "model": {"select_tf_ops": False}, "size": {"ratio": {"max": 0.4}}}
    manifest, results = records(bounds, MEASUREMENT)
    holder: Any = manifest["predicate"]["buildDefinition"]["externalParameters"]["resolvedConfig"]
    path = ("acceptance", *data.draw(st.sampled_from(places(bounds))))
    for key in path[:-1]:
        holder = holder[key]
    holder[path[-1]] = junk
    assert all(difference.place for difference in judgement_contradictions(manifest, results))


def test_the_samples_of_the_shared_measurement_are_those_of_its_file() -> None:
    assert MEASUREMENT.samples is not None
    assert MEASUREMENT.samples.count == SAMPLES.count(b"\n")
