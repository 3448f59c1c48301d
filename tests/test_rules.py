"""Rules across keys: what is refused, what is only warned about, and that nothing unsupported is ignored."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from recipekit.rules import cross_faults, has_bounds, warnings
from recipekit.schemas import with_defaults

RECIPE: dict[str, Any] = {
    "name": "digits",
    "version": "1.0.0",
    "source": {"kind": "keras", "path": "m.keras"},
    "converter": {"quantization": "int8"},
    "representative_dataset": {"plugin": "digits", "samples": 200},
    "evaluation": {"dataset": {"plugin": "digits"}, "metrics": {"top1_accuracy": {}}},
    "acceptance": {"parity": {"sqnr_db": {"min": 10}}},
}


def complete(**sections: Any) -> dict[str, Any]:
    """The good recipe with sections replaced, or left out by None, complete with defaults."""
    recipe = {**copy.deepcopy(RECIPE), **sections}
    return with_defaults({key: value for key, value in recipe.items() if value is not None}, "recipe")


def paths(**sections: Any) -> list[str]:
    return [".".join(map(str, fault.path)) for fault in cross_faults(complete(**sections))]


def test_a_good_recipe_breaks_no_rule_and_warns_of_nothing() -> None:
    assert cross_faults(complete()) == []
    assert warnings(complete()) == []


@pytest.mark.parametrize("name", ["con", "nul", "com1", "lpt9.x", "latest", "sweeps"])
def test_a_reserved_name_is_refused(name: str) -> None:
    assert paths(name=name) == ["name"]


def test_a_newer_language_is_refused_with_what_is_read_here() -> None:
    (fault,) = cross_faults(complete(schema_version=2))
    assert "reads up to 1; upgrade" in fault.message


@pytest.mark.parametrize("scheme", ["int8", "int16x8"])
def test_a_calibrated_scheme_needs_calibration_data(scheme: str) -> None:
    assert paths(representative_dataset=None, converter={"quantization": scheme}) == ["converter.quantization"]


@pytest.mark.parametrize("scheme", ["none", "float16", "dynamic_range"])
def test_other_schemes_need_some_data_to_measure_on(scheme: str) -> None:
    assert paths(representative_dataset=None, converter={"quantization": scheme}) == []
    acceptance: dict[str, Any] = {}
    nothing = {"representative_dataset": None, "evaluation": None, "acceptance": acceptance}
    assert paths(**nothing, converter={"quantization": scheme}) == ["evaluation"]


def rule(quantization: str, **match: str) -> dict[str, Any]:
    return {"match": match or {"op": "SOFTMAX"}, "quantization": quantization}


def ai_edge(quantization: str, **keys: Any) -> dict[str, Any]:
    return {"engine": "ai_edge_quantizer", "quantization": quantization, **keys}


@pytest.mark.parametrize(
    ("converter", "path"),
    [
        (ai_edge("dynamic_range", rules=[rule("int8")]), "converter.rules"),
        (ai_edge("none", rules=[rule("int16x8")]), "converter.rules"),
        (ai_edge("dynamic_range", algorithm="gptq"), "converter.algorithm"),
        (ai_edge("weight_only", algorithm="oscar"), "converter.algorithm"),
        (ai_edge("none", algorithm="gptq", rules=[rule("dynamic_range")]), "converter.algorithm"),
    ],
)
def test_rules_and_algorithms_need_calibration_data_too(converter: dict[str, Any], path: str) -> None:
    assert paths(representative_dataset=None, converter=converter) == [path]
    assert paths(converter=converter) == []
    assert warnings(complete(converter=converter)) == []


def test_a_float_tflite_needs_the_engine_that_can_read_it() -> None:
    source = {"kind": "tflite", "path": "m.tflite"}
    assert paths(source=source, converter=ai_edge("int8")) == []
    (fault,) = cross_faults(complete(source=source))
    assert fault.path == ("converter", "engine")
    assert "set it to ai_edge_quantizer" in fault.message


@pytest.mark.parametrize(
    ("sections", "path"),
    [
        ({"converter": ai_edge("int8", supported_ops=["SELECT_TF_OPS"])}, "converter.supported_ops"),
        ({"converter": ai_edge("int8", allow_custom_ops=True)}, "converter.allow_custom_ops"),
        ({"converter": ai_edge("int8", flags={"unfold_batchmatmul": True})}, "converter.flags"),
        ({"custom_layers": {"modules": ["layers.py"]}}, "custom_layers.modules"),
        ({"custom_layers": {"objects": {"A": "layers:A"}}}, "custom_layers.objects"),
        ({"custom_layers": {"replace": {"Erf": "ops:erf"}}}, "custom_layers.replace"),
    ],
)
def test_what_a_float_tflite_makes_meaningless_is_refused(sections: dict[str, Any], path: str) -> None:
    recipe = {"source": {"kind": "tflite", "path": "m.tflite"}, "converter": ai_edge("int8"), **sections}
    assert paths(**recipe) == [path]
    assert paths(**{**recipe, "source": RECIPE["source"]}) == []


@pytest.mark.parametrize(
    ("quantization", "exception", "path"),
    [
        ("int8", "none", None),
        ("int8", "int8", None),
        ("int8", "float16", "converter.rules.0.quantization"),
        ("int8", "int16x8", "converter.rules.0.quantization"),
        ("int16x8", "none", "converter.rules"),
        ("dynamic_range", "none", "converter.rules"),
    ],
)
def test_rules_of_the_tflite_converter_leave_operators_of_an_int8_model_float(
    quantization: str, exception: str, path: str | None
) -> None:
    converter = {"quantization": quantization, "rules": [rule(exception)]}
    assert paths(converter=converter) == ([path] if path else [])
    assert paths(converter={"engine": "ai_edge_quantizer", **converter}) == []


def test_a_rule_whose_name_is_no_pattern_is_refused() -> None:
    converter = {"quantization": "int8", "rules": [rule("none", name="log.*"), rule("none", name="log[")]}
    assert paths(converter=converter) == ["converter.rules.1.match.name"]


@pytest.mark.parametrize("section", ["representative_dataset", "evaluation"])
def test_an_unknown_plugin_gets_the_nearest_unless_modules_may_register_it(section: str) -> None:
    def declared(**more: Any) -> dict[str, Any]:
        dataset = {"plugin": "digts", "samples": 200, **more}
        return {section: {"dataset": dataset, "metrics": {}} if section == "evaluation" else dataset}

    (fault,) = cross_faults(complete(**declared()))
    assert "did you mean 'digits'" in fault.message
    assert paths(**declared(modules=["my_frames"])) == []


def test_random_samples_must_be_asked_for() -> None:
    random = {"plugin": "random", "inputs": {"x": [2]}, "samples": 200}
    assert paths(representative_dataset=random) == ["representative_dataset.plugin"]
    assert paths(representative_dataset={**random, "allow_random": True}) == []


def test_an_unknown_metric_gets_the_nearest() -> None:
    evaluation = {"dataset": {"plugin": "digits"}, "metrics": {"top1_acuracy": {}}}
    (fault,) = cross_faults(complete(evaluation=evaluation))
    assert fault.path == ("evaluation", "metrics", "top1_acuracy")
    assert "did you mean 'top1_accuracy'" in fault.message


@pytest.mark.parametrize(
    ("section", "metric"),
    [
        ("parity", "sqnr_db"),
        ("size", "bytes"),
        ("latency", "p50_ms"),
        ("model", "float_ops"),
        ("task", "top1_accuracy"),
    ],
)
def test_bounds_that_cross_are_refused(section: str, metric: str) -> None:
    assert paths(acceptance={section: {metric: {"min": 2, "max": 1}}}) == [f"acceptance.{section}.{metric}"]
    assert paths(acceptance={section: {metric: {"min": 1, "max": 1}}}) == []


@pytest.mark.parametrize(
    ("weights", "faults"), [(None, ["source.sha256"]), ("imagenet", ["source.sha256"]), ("w.weights.h5", [])]
)
def test_a_pin_needs_a_weights_file(weights: str | None, faults: list[str]) -> None:
    source = {"kind": "keras_application", "name": "MobileNetV2", "weights": weights}
    assert paths(source={**source, "sha256": "0" * 64}) == faults
    assert paths(source=source) == []


def test_a_bound_on_what_nobody_measures_is_refused() -> None:
    assert paths(acceptance={"task": {"f1": {"min": 0.5}}}) == ["acceptance.task.f1"]
    evaluation = {"dataset": {"plugin": "digits"}, "benchmark": None}
    assert paths(acceptance={"latency": {"p50_ms": {"max": 1}}}, evaluation=evaluation) == ["acceptance.latency"]


def test_a_replacement_does_not_go_with_training() -> None:
    layers = {"replace": {"Erf": "ops:erf"}}
    assert paths(custom_layers=layers) == []
    assert "custom_layers.replace" in paths(custom_layers=layers, optimize={"prune": {"sparsity": 0.5}})


@pytest.mark.parametrize(("section", "metric"), [("parity", "rmse"), ("task", "f1"), ("latency", "p50_ms")])
def test_a_bound_on_a_run_is_refused_where_nothing_is_run(section: str, metric: str) -> None:
    evaluation = {"runtime": "none"}
    acceptance = {section: {metric: {"max": 1}}}
    (fault,) = cross_faults(complete(evaluation=evaluation, acceptance=acceptance))
    assert fault.path == ("acceptance", section, metric)
    assert f"~acceptance.{section}" in fault.message
    assert paths(evaluation=evaluation, acceptance={"size": {"bytes": {"max": 1}}}) == []


def test_what_is_not_judged_without_a_runtime_is_warned_about() -> None:
    evaluation = {"runtime": "none", "dataset": {"plugin": "digits"}, "metrics": {"top1_accuracy": {}}}
    said = warnings(complete(evaluation=evaluation, acceptance={"size": {"bytes": {"max": 1}}}))
    assert [text.partition(":")[0] for text in said] == [
        "'evaluation.runtime' is none",
        "'evaluation.dataset' is not used",
        "'evaluation.metrics' is not used",
    ]


VELA = {"vela": {"accelerator": "ethos-u55-128"}}


@pytest.mark.parametrize(
    ("sections", "path", "said"),
    [
        ({"acceptance": {"target": {"sram_kib": {"max": 256}}}}, "acceptance.target.sram_kib", "add 'artifacts.vela'"),
        (
            {"artifacts": VELA, "acceptance": {"target": {"sram_kib": {"max_ratio": 0.5}}}},
            "acceptance.target.sram_kib.max_ratio",
            "only npu_operators and cpu_operators are shares",
        ),
        (
            {"artifacts": VELA, "acceptance": {"target": {"npu_operators": {"min_ratio": 1.5}}}},
            "acceptance.target.npu_operators",
            "no share is at least 1.5",
        ),
        (
            {"artifacts": VELA, "acceptance": {"target": {"sram_kib": {"min": 2, "max": 1}}}},
            "acceptance.target.sram_kib",
            "min 2 is above max 1",
        ),
        (
            {"artifacts": {"golden_vectors": 8}, "evaluation": {"runtime": "none"}, "acceptance": {}},
            "artifacts.golden_vectors",
            "'evaluation.runtime' is none",
        ),
        (
            {"artifacts": {"golden_vectors": 8}, "evaluation": {"dataset": {"plugin": "digits", "samples": 5}}},
            "artifacts.golden_vectors",
            "'evaluation.dataset' has 5: ask for 5 at most",
        ),
        (
            {"artifacts": {"golden_vectors": 201}, "evaluation": None},
            "artifacts.golden_vectors",
            "'representative_dataset' has 200",
        ),
        (
            {"artifacts": {"vela": {**VELA["vela"], "config": "board.ini"}}},
            "artifacts.vela.config",
            "needs 'system_config' and 'memory_mode'",
        ),
    ],
)
def test_artifacts_and_bounds_on_them_that_can_not_be_met_are_refused(
    sections: dict[str, Any], path: str, said: str
) -> None:
    (fault,) = cross_faults(complete(**sections))
    assert ".".join(map(str, fault.path)) == path
    assert said in fault.message


def test_an_npu_that_gets_a_float_model_is_warned_about() -> None:
    artifacts = {"artifacts": VELA, "representative_dataset": None}
    (said,) = warnings(complete(**artifacts, converter={"quantization": "float16"}))
    assert "quantization float16 leaves operators in float to the CPU" in said
    assert warnings(complete(artifacts=VELA)) == []


FINETUNE = {"dataset": {"plugin": "digits"}}


@pytest.mark.parametrize(
    ("source", "refused"),
    [
        ({"kind": "keras", "path": "m.keras"}, False),
        ({"kind": "python", "factory": "models:build"}, False),
        ({"kind": "saved_model", "path": "m"}, True),
        ({"kind": "frozen_graph", "path": "m.pb", "inputs": {"x": [1]}, "outputs": ["y"]}, True),
        ({"kind": "tflite", "path": "m.tflite"}, True),
    ],
)
def test_only_a_keras_model_can_be_optimized(source: dict[str, Any], refused: bool) -> None:
    recipe = complete(source=source, optimize={"prune": {"sparsity": 0.5}})
    told = [fault.message for fault in cross_faults(recipe) if fault.path == ("optimize",)]
    assert bool(told) == refused
    assert all("take the Keras file" in message for message in told)


@pytest.mark.parametrize(
    ("optimize", "path"),
    [
        ({"prune": {"sparsity": 0.5, "layers": "("}}, "optimize.prune.layers"),
        ({"cluster": {"clusters": 8, "layers": "("}}, "optimize.cluster.layers"),
        ({"prune": {"sparsity": 0.5, "schedule": "polynomial"}}, "optimize.prune.schedule"),
        (
            {"cluster": {"clusters": 8, "finetune": {"dataset": {"plugin": "digit"}}}},
            "optimize.cluster.finetune.dataset.plugin",
        ),
    ],
)
def test_an_optimization_that_can_not_be_carried_out_is_refused(optimize: dict[str, Any], path: str) -> None:
    assert paths(optimize=optimize) == [path]


@pytest.mark.parametrize(
    ("converter", "path"),
    [
        ({"quantization": "int8"}, None),
        ({"quantization": "float16"}, "converter.quantization"),
        ({"quantization": "int16x8"}, "converter.quantization"),
        ({"quantization": "none"}, "converter.quantization"),
        ({"quantization": "int8", "granularity": "per_tensor"}, "converter.granularity"),
        ({"quantization": "int8", "rules": [rule("none")]}, "converter.rules"),
        (ai_edge("int8"), "converter.engine"),
    ],
)
def test_trained_ranges_go_with_int8_by_the_tflite_converter_alone(converter: dict[str, Any], path: str | None) -> None:
    optimize = {"quantization_aware_training": {"finetune": FINETUNE}}
    assert paths(converter=converter, optimize=optimize) == ([path] if path else [])


def test_trained_ranges_need_no_calibration_data_and_leave_them_unused() -> None:
    optimize = {"quantization_aware_training": {"finetune": FINETUNE}}
    assert paths(representative_dataset=None, optimize=optimize) == []
    (warning,) = warnings(complete(optimize=optimize))
    assert warning == "'representative_dataset' is not used: the ranges are trained"


@pytest.mark.parametrize(
    ("sections", "warned"),
    [
        ({"evaluation": None}, "parity is measured on the representative samples"),
        ({"converter": {"quantization": "float16"}}, "quantization float16 needs no calibration"),
        ({"acceptance": {}}, "nothing was judged"),
        ({"representative_dataset": {"plugin": "digits", "samples": 20}}, "20 calibration samples are few"),
    ],
)
def test_what_is_probably_not_meant_is_warned_about(sections: dict[str, Any], warned: str) -> None:
    recipe = complete(**sections)
    assert cross_faults(recipe) == []
    (warning,) = warnings(recipe)
    assert warned in warning


def test_unlimited_calibration_samples_are_not_few() -> None:
    assert warnings(complete(representative_dataset={"plugin": "digits", "samples": None})) == []


@pytest.mark.parametrize("section", ["parity", "task", "size", "latency", "model", "target"])
def test_one_bound_in_any_section_is_a_bound(section: str) -> None:
    empty = complete(acceptance={})["acceptance"]
    assert not has_bounds(empty)
    assert has_bounds({**empty, section: {"x": {"min": 1}}})


def test_a_metric_may_be_the_address_of_one() -> None:
    def metric(name: str) -> list[str]:
        return paths(evaluation={"dataset": {"plugin": "digits"}, "metrics": {name: {}}})

    assert metric("plugins/within.py:Within") == metric("my_pkg.metrics:Within.strict") == []
    for wrong in ("within.py:", ":Within", "a:b:c", "a:1"):
        assert metric(wrong) == [f"evaluation.metrics.{wrong}"]


@pytest.mark.parametrize(
    ("dataset", "contradiction"),
    [
        ({"plugin": "csv", "path": "x.csv", "inputs": {"a": ["b"]}, "columns": ["b"]}, "columns"),
        ({"plugin": "numpy_folder", "path": "x", "labels": "x.csv", "label_key": "y"}, "label_key"),
        ({"plugin": "huggingface", "path": "x", "dataset": "csv"}, "dataset"),
    ],
)
def test_parameters_that_contradict_each_other_are_refused(dataset: dict[str, Any], contradiction: str) -> None:
    assert paths(evaluation={"dataset": dataset, "metrics": {}}) == [f"evaluation.dataset.{contradiction}"]


def several(*keys: str, **sections: Any) -> dict[str, Any]:
    """A recipe for several signatures with a dataset for each."""
    datasets = {"signatures": {key: {"plugin": "digits"} for key in keys}}
    source = {"kind": "saved_model", "path": "m", "signature": list(keys)}
    evaluation = {"dataset": datasets, "metrics": {f"{keys[0]}/top1_accuracy": {}}}
    return {"source": source, "representative_dataset": datasets, "evaluation": evaluation, **sections}


def test_several_signatures_with_a_dataset_for_each_break_no_rule() -> None:
    assert cross_faults(complete(**several("encode", "decode"))) == []


def test_one_dataset_may_serve_for_several_signatures() -> None:
    assert paths(**several("encode", "decode", representative_dataset={"plugin": "digits"})) == []


def test_a_signature_without_samples_is_named() -> None:
    datasets = {"signatures": {"encode": {"plugin": "digits"}}}
    (fault,) = cross_faults(complete(**several("encode", "decode", representative_dataset=datasets)))
    assert fault.path == ("representative_dataset", "signatures")
    assert "no samples for the signature 'decode'" in fault.message


def test_samples_of_a_signature_that_is_not_converted_are_refused_with_the_nearest() -> None:
    datasets = {"signatures": {key: {"plugin": "digits"} for key in ("encode", "decode", "decoed")}}
    (fault,) = cross_faults(complete(**several("encode", "decode", representative_dataset=datasets)))
    assert fault.path == ("representative_dataset", "signatures", "decoed")
    assert "did you mean 'decode'?" in fault.message


@pytest.mark.parametrize("source", [{"kind": "keras", "path": "m.keras"}, several("encode")["source"]])
def test_a_dataset_for_each_signature_needs_several(source: dict[str, Any]) -> None:
    datasets = {"signatures": {"encode": {"plugin": "digits"}}}
    assert paths(source=source, representative_dataset=datasets) == ["representative_dataset.signatures"]


def test_signatures_whose_outputs_could_have_one_name_are_refused() -> None:
    (fault,) = cross_faults(complete(**several("head", "head/one")))
    assert fault.path == ("source", "signature")
    assert "'head/one/...'" in fault.message


@pytest.mark.parametrize(
    ("metric", "said"),
    [
        ("top1_accuracy", "call it 'encode/top1_accuracy' or 'decode/top1_accuracy'"),
        ("encoed/top1_accuracy", "did you mean 'encode'?"),
        ("encode/top2_accuracy", "there is no metric 'top2_accuracy'"),
    ],
)
def test_a_metric_of_several_signatures_names_its_own(metric: str, said: str) -> None:
    recipe = complete(**several("encode", "decode"))
    recipe["evaluation"]["metrics"] = {metric: {}}
    (fault,) = cross_faults(recipe)
    assert fault.path == ("evaluation", "metrics", metric)
    assert said in fault.message


def test_nothing_is_replaced_in_several_signatures() -> None:
    replace = {"custom_layers": {"replace": {"Erf": "ops.py:erf"}}}
    assert paths(**several("encode", "decode", **replace)) == ["custom_layers.replace"]


def test_each_signature_with_few_calibration_samples_is_warned_of() -> None:
    datasets = {"signatures": {"encode": {"plugin": "digits", "samples": 20}, "decode": {"plugin": "digits"}}}
    said = warnings(complete(**several("encode", "decode", representative_dataset=datasets)))
    assert said == [
        "20 calibration samples of 'encode' are few: ranges settle with 100 to 300 [few-samples]",
    ]
