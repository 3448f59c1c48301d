"""`parse` freezes a composed mapping, or says everything that is wrong with it and where each thing was written."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recipekit import digests
from recipekit.acceptance import Bound, ModelIntent
from recipekit.contracts import BenchmarkSpec, CalibrationSpec, DatasetSpec, Rule
from recipekit.errors import InvalidRecipe
from recipekit.recipe import Recipe, parse

MINIMAL: dict[str, Any] = {
    "name": "digits",
    "version": "1.0.0",
    "source": {"kind": "keras", "path": "models/m.keras"},
    "converter": {"quantization": "none"},
    "evaluation": {"dataset": {"plugin": "digits"}},
}
ROOT = Path("/project")


def with_sections(**sections: Any) -> dict[str, Any]:
    return {**copy.deepcopy(MINIMAL), **sections}


def parsed(**sections: Any) -> Recipe:
    return parse(with_sections(**sections), ROOT, lambda path: "")


def refused(mapping: dict[str, Any], places: dict[tuple[str | int, ...], str] | None = None) -> str:
    with pytest.raises(InvalidRecipe) as caught:
        parse(mapping, ROOT, lambda path: (places or {}).get(path, ""))
    return caught.value.what


def test_a_minimal_recipe_is_complete_after_parsing() -> None:
    recipe = parsed()
    assert (recipe.name, recipe.version, recipe.seed) == ("digits", "1.0.0", 0)
    assert (recipe.calibration, recipe.source_sha256) == (None, None)
    assert recipe.converter.supported_ops == ("TFLITE_BUILTINS",)
    assert (recipe.converter.input_type, recipe.converter.output_type) == ("float32", "float32")
    assert recipe.evaluation.benchmark == BenchmarkSpec(runs=50, warmup=5, threads=1)
    assert recipe.acceptance.on_inconclusive == "reject"
    assert recipe.resolved["schema_version"] == 1
    assert set(recipe.resolved) >= {"seed", "description", "custom_layers", "optimize", "acceptance", "artifacts"}


def test_the_resolved_recipe_is_json_and_parses_to_itself() -> None:
    resolved = parsed(acceptance={"size": {"ratio": {"max": 0.4}}}).resolved
    assert json.loads(digests.canonical_json(resolved)) == resolved
    assert parse(resolved, ROOT, lambda path: "").resolved == resolved


def test_a_recipe_does_not_share_its_lists_with_the_next_one() -> None:
    parsed().resolved["converter"]["supported_ops"].append("SELECT_TF_OPS")
    assert parsed().converter.supported_ops == ("TFLITE_BUILTINS",)


def evaluated(recipe: Recipe) -> DatasetSpec:
    assert recipe.evaluation.dataset is not None
    return recipe.evaluation.dataset


def test_where_nothing_is_run_there_is_nothing_to_run_on() -> None:
    evaluation = parsed(evaluation={"runtime": "none", "dataset": {"plugin": "digits"}}).evaluation
    assert (evaluation.dataset, evaluation.metrics, evaluation.benchmark) == (None, {}, None)


@pytest.mark.parametrize(
    ("written", "meant"), [("models/m.keras", "/project/models/m.keras"), ("/data/m.keras", "/data/m.keras")]
)
def test_a_relative_path_means_the_project_root_and_an_absolute_one_itself(written: str, meant: str) -> None:
    recipe = parsed(
        source={"kind": "keras", "path": written}, evaluation={"dataset": {"plugin": "npz", "path": written}}
    )
    assert recipe.model.source.path == meant
    assert evaluated(recipe).params["path"] == meant
    assert recipe.resolved["source"]["path"] == written


def test_a_dataset_s_own_parameters_are_told_from_the_runner_s() -> None:
    dataset = {"plugin": "digits", "split": "train", "samples": 5, "shuffle": True, "preprocess": [{"rescale": {}}]}
    spec = evaluated(parsed(seed=7, evaluation={"dataset": dataset}))
    assert spec.params == {"split": "train", "size": 48, "channels": 3}
    assert (spec.plugin, spec.samples, spec.shuffle, spec.seed) == ("digits", 5, True, 7)
    assert spec.preprocess == ({"rescale": {}},)
    assert spec.project_root == "/project"


@pytest.mark.parametrize(("scheme", "kept"), [("int8", True), ("int16x8", True), ("float16", False), ("none", False)])
def test_calibration_data_is_kept_for_schemes_that_calibrate(scheme: str, kept: bool) -> None:
    recipe = parsed(
        converter={"quantization": scheme}, representative_dataset={"plugin": "digits", "split": "calibration"}
    )
    assert (recipe.calibration is not None) is kept


def test_without_evaluation_parity_is_measured_on_the_representative_samples() -> None:
    mapping = with_sections(representative_dataset={"plugin": "digits", "split": "calibration"})
    del mapping["evaluation"]
    recipe = parse(mapping, ROOT, lambda path: "")
    assert evaluated(recipe).params["split"] == "calibration"
    assert recipe.evaluation.metrics == {}
    assert any("no 'evaluation'" in warning for warning in recipe.warnings)


def test_bounds_become_records() -> None:
    acceptance = {"parity": {"sqnr_db": {"min": 15}}, "model": {"float_ops": {"max": 0}}, "confidence": 0.95}
    accepted = parsed(acceptance=acceptance).acceptance
    assert accepted.parity == {"sqnr_db": Bound(min=15)}
    assert accepted.model == ModelIntent(float_ops=Bound(max=0))
    assert accepted.confidence == 0.95
    assert parsed(acceptance={"model": {}}).acceptance.model is None


def test_custom_layers_and_pin_reach_the_model() -> None:
    recipe = parsed(
        custom_layers={"modules": ["layers.py"], "objects": {"A": "m:A"}},
        source={"kind": "keras", "path": "m.keras", "sha256": "0" * 64, "input_shapes": {"x": [1, 2]}},
    )
    assert recipe.model.custom_layers.modules == ("layers.py",)
    assert recipe.model.custom_layers.objects == {"A": "m:A"}
    assert recipe.model.source.input_shapes == {"x": (1, 2)}
    assert recipe.source_sha256 == "0" * 64


def test_every_fault_is_told_at_once_with_its_place_in_reading_order() -> None:
    mapping = with_sections(seed=-1, acceptence={}, converter={"quantisation": "int8"})
    places: dict[tuple[str | int, ...], str] = {
        ("seed",): "recipes/x.yaml:12",
        ("acceptence",): "recipes/x.yaml:9",
        ("converter", "quantisation"): "command line: converter.quantisation=int8",
    }
    lines = refused(mapping, places).splitlines()
    assert lines[0] == "the recipe has 4 faults:"
    assert any(line.startswith("  command line: converter.quantisation=int8: unknown key") for line in lines)
    ninth = next(index for index, line in enumerate(lines) if line.startswith("  recipes/x.yaml:9: unknown key"))
    assert lines[ninth + 1].startswith("  recipes/x.yaml:12: 'seed' must be at least 0")


def test_faults_of_the_cross_rules_are_told_once_the_schema_is_content() -> None:
    told = refused(with_sections(name="latest", schema_version=9, acceptance={"target": {"sram_kib": {"max": 256}}}))
    assert told.startswith("the recipe has 3 faults:")


def test_one_fault_is_one_line() -> None:
    told = refused(with_sections(seed=-1), {("seed",): "recipes/x.yaml:3"})
    assert told == "recipes/x.yaml:3: 'seed' must be at least 0, got -1"


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_a_bound_that_is_not_finite_is_refused(value: float) -> None:
    assert "'acceptance.parity.sqnr_db.min' must be a finite number" in refused(
        with_sections(acceptance={"parity": {"sqnr_db": {"min": value}}})
    )


def test_a_bound_that_cannot_be_met_is_refused() -> None:
    assert "can't be met: min 2 is above max 1" in refused(
        with_sections(acceptance={"parity": {"sqnr_db": {"min": 2, "max": 1}}})
    )


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({1: "a"}, "the key 'source.kwargs.a.1' must be a string"),
        (2**53, "must be an integer within"),
        (b"bytes", "must be text, a number"),
        ("\udcff", "must be text, a number"),
        ([[float("nan")]], "'source.kwargs.a[0][0]' must be a finite number"),
    ],
)
def test_what_no_digest_can_hold_is_refused_even_where_the_language_is_open(value: Any, said: str) -> None:
    assert said in refused(with_sections(source={"kind": "python", "factory": "m:f", "kwargs": {"a": value}}))


AI_EDGE = {"engine": "ai_edge_quantizer"}
SOFTMAX = {"match": {"op": "SOFTMAX"}}
INT8 = {"quantization": "int8"}


@pytest.mark.parametrize(
    ("converter", "filled"),
    [
        ({**AI_EDGE, "quantization": "none"}, set()),
        ({**AI_EDGE, "quantization": "float16"}, set()),
        ({**AI_EDGE, "quantization": "dynamic_range"}, {"weight_bits", "granularity", "algorithm"}),
        ({**AI_EDGE, "quantization": "weight_only"}, {"weight_bits", "granularity", "algorithm"}),
        (
            {**AI_EDGE, "quantization": "int8"},
            {"weight_bits", "granularity", "algorithm", "ranges", "allow_float"},
        ),
        ({**AI_EDGE, "quantization": "none", "rules": [{**SOFTMAX, "quantization": "none"}]}, set()),
        (
            {**AI_EDGE, "quantization": "none", "rules": [{**SOFTMAX, "quantization": "weight_only"}]},
            {"weight_bits", "granularity", "algorithm"},
        ),
        (
            {**AI_EDGE, "quantization": "float16", "rules": [{**SOFTMAX, **INT8}]},
            {"weight_bits", "granularity", "algorithm", "ranges"},
        ),
        ({"quantization": "int8"}, {"granularity", "allow_float"}),
    ],
)
def test_a_resolved_converter_holds_the_defaults_that_mean_something(
    converter: dict[str, Any], filled: set[str]
) -> None:
    always = {"engine", "quantization", "input_type", "output_type"}
    always |= {"supported_ops", "allow_custom_ops", "rules", "flags"}
    recipe = parsed(converter=converter, representative_dataset={"plugin": "digits"})
    assert recipe.resolved["converter"].keys() == always | filled
    spec = recipe.converter
    assert (spec.weight_bits, spec.granularity, spec.algorithm, spec.ranges) == (8, "per_channel", "min_max", "min_max")


def test_rules_become_records() -> None:
    rules = [{**SOFTMAX, "quantization": "none"}, {"match": {"op": "ADD", "name": "block.*"}, **INT8}]
    recipe = parsed(converter={**INT8, "rules": rules}, representative_dataset={"plugin": "digits"})
    assert recipe.converter.rules == (
        Rule(op="SOFTMAX", quantization="none"),
        Rule(op="ADD", name="block.*", quantization="int8"),
    )


@pytest.mark.parametrize(
    ("algorithm", "quantization", "needed", "statistics"),
    [
        ("gptq", "dynamic_range", True, "gptq"),
        ("oscar", "weight_only", True, "oscar"),
        ("gptq", "int8", True, "gptq"),
        ("mse", "dynamic_range", False, ""),
        ("mse", "int8", True, ""),
    ],
)
def test_an_algorithm_with_statistics_needs_samples_in_every_scheme_and_a_calibration_of_its_own(
    algorithm: str, quantization: str, needed: bool, statistics: str
) -> None:
    converter = {**AI_EDGE, "quantization": quantization, "algorithm": algorithm}
    spec = parsed(converter=converter, representative_dataset={"plugin": "digits"}).converter
    assert spec.needs_samples == needed
    assert spec.calibration == CalibrationSpec(engine="ai_edge_quantizer", ranges="min_max", algorithm=statistics)


@pytest.mark.parametrize(
    ("converter", "said"),
    [
        ({"quantization": "weight_only"}, 'with engine: tflite_converter; got "weight_only"'),
        ({"quantization": "int8", "algorithm": "gptq"}, "has no meaning with engine: tflite_converter"),
        ({"quantization": "int8", "granularity": "blockwise_32"}, "must be one of per_channel, per_tensor"),
        ({"quantization": "float16", "allow_float": True}, "has no meaning with quantization: float16"),
        ({"quantization": "int8", "ranges": "moving_average"}, "has no meaning with engine: tflite_converter"),
        ({**AI_EDGE, "quantization": "float16", "weight_bits": 4}, "has no meaning with quantization: float16"),
        ({**AI_EDGE, "quantization": "dynamic_range", "ranges": "min_max"}, "with quantization: dynamic_range"),
        ({**AI_EDGE, "quantization": "int8", "granularity": "blockwise_32"}, "must be one of per_channel, per_tensor"),
        ({**AI_EDGE, "quantization": "dynamic_range", "granularity": "blockwise_31"}, "did you mean 'blockwise_32'"),
        ({**AI_EDGE, "quantization": "int8", "input_type": "uint8"}, "must be one of float32, int8"),
        ({**AI_EDGE, "quantization": "int8", "algorithm": "octave"}, "did you mean 'octav'"),
        ({**AI_EDGE, "quantization": "int8", "algorithm": "float_casting"}, "must be one of min_max, octav"),
        ({**AI_EDGE, "quantization": "int8", "weight_bits": 6}, "must be one of 8, 4, 2"),
        ({**AI_EDGE, "quantization": "int8", "rules": [{**SOFTMAX, "quantization": "itn8"}]}, "did you mean 'int8'"),
        (
            {**AI_EDGE, "quantization": "none", "granularity": "blockwise_32", "rules": [{**SOFTMAX, **INT8}]},
            "must be one of per_channel, per_tensor",
        ),
    ],
)
def test_a_key_that_the_chosen_or_default_option_makes_meaningless_is_refused(
    converter: dict[str, Any], said: str
) -> None:
    assert said in refused(with_sections(converter=converter, representative_dataset={"plugin": "digits"}))


OPEN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4) | st.integers(), inner, max_size=3),
    max_leaves=6,
)


@given(OPEN)
def test_whatever_parses_has_a_digest(value: Any) -> None:
    mapping = with_sections(source={"kind": "python", "factory": "m:f", "kwargs": {"value": value}})
    try:
        recipe = parse(mapping, ROOT, lambda path: "")
    except InvalidRecipe:
        return
    assert digests.of_json(recipe.resolved)


def several(**sections: Any) -> Recipe:
    source = {"kind": "saved_model", "path": "m", "signature": ["encode", "decode"]}
    return parsed(source=source, converter={"quantization": "int8"}, **sections)


def test_each_signature_has_its_dataset_in_the_order_of_the_source() -> None:
    npz = {"plugin": "npz", "path": "x.npz", "samples": 20}
    recipe = several(representative_dataset={"signatures": {"decode": npz, "encode": {"plugin": "digits"}}})
    assert recipe.calibration is not None
    assert [part.plugin for part in recipe.calibration.parts] == ["digits", "npz"]
    assert (
        recipe.calibration.of("decode")
        == parsed(representative_dataset=npz, converter={"quantization": "int8"}).calibration
    )
    assert recipe.resolved["representative_dataset"]["signatures"]["encode"]["shuffle"] is False


def test_one_dataset_serves_for_each_signature() -> None:
    recipe = several(representative_dataset={"plugin": "digits", "samples": 200})
    assert recipe.calibration is not None
    encode, decode = recipe.calibration.parts
    assert encode == decode == recipe.calibration.of("encode")
    assert encode.samples == 200


def test_a_list_of_one_signature_is_that_signature() -> None:
    listed, named = (parsed(source={"kind": "saved_model", "path": "m", "signature": key}) for key in (["a"], "a"))
    assert listed.model == named.model
    assert listed.evaluation == named.evaluation


def test_a_metric_of_several_signatures_is_looked_up_by_its_own_name() -> None:
    evaluation = {"dataset": {"plugin": "digits"}, "metrics": {"encode/metrics/own.py:good": {"k": 1}}}
    recipe = several(representative_dataset={"plugin": "digits"}, evaluation=evaluation)
    assert dict(recipe.evaluation.metric_plugins) == {"metrics/own.py:good": {"k": 1}}


def test_a_fault_inside_of_a_signatures_dataset_is_told_with_its_place() -> None:
    datasets = {"signatures": {"encode": {"plugin": "npz", "pathh": "x.npz"}, "decode": {"plugin": "digits"}}}
    said = refused(
        with_sections(
            source={"kind": "saved_model", "path": "m", "signature": ["encode", "decode"]},
            representative_dataset=datasets,
        )
    )
    assert "unknown key 'representative_dataset.signatures.encode.pathh'; did you mean 'path'?" in said
    assert "'representative_dataset.signatures.encode.path' is missing" in said
