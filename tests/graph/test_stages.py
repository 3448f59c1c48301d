"""Which stages a change makes run again, told by their keys."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from recipekit import environment
from recipekit.contracts import Flatbuffer
from recipekit.environment import Package
from recipekit.errors import EnvironmentFault
from tests.graph.conftest import SmallProject
from tests.small_builds import ENVIRONMENT

AFTER_QUANTIZE = {"quantize", "measure", "benchmark"}
AFTER_CALIBRATE = {"calibrate", *AFTER_QUANTIZE}
GOLDEN = Path(__file__).parents[1] / "golden" / "stage_inputs.json"
ALL = {"load", "reference", "lower", *AFTER_CALIBRATE}


def set_key(*path: str, value: Any) -> Callable[[SmallProject], None]:
    def change(small: SmallProject) -> None:
        section = small.recipe
        for key in path[:-1]:
            section = section.setdefault(key, {})
        section[path[-1]] = value

    return change


def test_an_int8_build_has_all_stages(small: SmallProject) -> None:
    assert small.keys().keys() == ALL


def test_the_same_project_gives_the_same_keys(small: SmallProject) -> None:
    assert small.changed_by(lambda _: None) == set()


@pytest.mark.parametrize(
    "change",
    [
        set_key("acceptance", "parity", value={"sqnr_db": {"min": 20}}),
        set_key("description", value="another one"),
        set_key("version", value="2.0.0"),
        set_key("name", value="renamed"),
    ],
)
def test_what_only_the_gate_reads_changes_no_stage(small: SmallProject, change: Callable[[SmallProject], None]) -> None:
    assert small.changed_by(change) == set()


def test_the_schemes_of_one_model_share_everything_before_the_quantizer(small: SmallProject) -> None:
    assert small.changed_by(set_key("converter", value={"quantization": "int16x8"})) == AFTER_QUANTIZE
    assert small.changed_by(set_key("converter", "output_type", value="int16")) == AFTER_QUANTIZE


def test_candidates_of_the_same_bytes_are_measured_once(small: SmallProject) -> None:
    small.converted = Flatbuffer(path="", sha256="f" * 64, size=1)
    assert small.changed_by(set_key("converter", "allow_float", value=True)) == {"quantize"}


def test_a_scheme_without_calibration_has_no_such_stage(small: SmallProject) -> None:
    changed = small.changed_by(set_key("converter", value={"quantization": "float16"}))
    assert changed == AFTER_CALIBRATE
    assert not {"calibrate"} & set(small.keys())


def test_without_quantization_the_float32_conversion_is_the_candidate(small: SmallProject) -> None:
    small.changed_by(set_key("converter", value={"quantization": "none"}))
    assert small.keys().keys() == {"load", "reference", "lower", "mark", "measure", "benchmark"}


@pytest.mark.parametrize("engine", ["tflite_converter", "ai_edge_quantizer"])
def test_recurrent_layers_are_unrolled_for_what_calibrates_alone(small: SmallProject, engine: str) -> None:
    small.recipe["converter"]["engine"] = engine
    plain = small.keys()
    small.loops = ("lstm",)
    unrolled = small.stages()
    assert unrolled.keys() == plain.keys() | {"unroll", "lower-unrolled"}
    assert {need.label for need in unrolled["quantize"].needs} == {"unroll", "lower-unrolled", "calibrate"}
    shared = ("load", "lower", "reference")
    assert {label: unrolled[label].key for label in shared} == {label: plain[label] for label in shared}
    small.recipe["converter"] = {"quantization": "dynamic_range"}
    assert not {"unroll"} & set(small.keys())


def test_a_flag_of_the_converter_begins_with_a_new_lowering(small: SmallProject) -> None:
    changed = small.changed_by(set_key("converter", "flags", value={"unfold_batchmatmul": True}))
    assert changed == ALL - {"load", "reference"}


@pytest.mark.parametrize("name", ["model.keras", "layers.py"])
def test_another_model_or_layer_changes_everything(small: SmallProject, name: str) -> None:
    assert small.changed_by(lambda small: small.write(name, b"2")) == ALL


def test_the_name_of_a_model_file_means_nothing(small: SmallProject) -> None:
    def move(small: SmallProject) -> None:
        small.write("other.keras", b"1")
        small.recipe["source"]["path"] = "other.keras"

    assert small.changed_by(move) == set()


def test_another_sample_changes_what_reads_it(small: SmallProject) -> None:
    assert small.changed_by(lambda small: small.samples.update({"calibration-samples": "d" * 64})) == AFTER_CALIBRATE
    evaluated = {"reference", "measure", "benchmark"}
    assert small.changed_by(lambda small: small.samples.update({"evaluation-samples": "f" * 64})) == evaluated


def test_the_way_samples_are_found_means_nothing_if_they_are_the_same(small: SmallProject) -> None:
    assert small.changed_by(set_key("evaluation", "dataset", value={"plugin": "digits"})) == set()


def test_a_metric_is_measured_anew_alone(small: SmallProject) -> None:
    assert small.changed_by(set_key("evaluation", "metrics", value={"f1": {}})) == {"measure"}
    assert small.changed_by(set_key("evaluation", "benchmark", value={"runs": 9})) == {"benchmark"}


def test_code_of_a_metric_that_is_named_by_its_address_is_measured_anew(small: SmallProject) -> None:
    small.write("within.py", b"1")
    assert small.changed_by(set_key("evaluation", "metrics", value={"within.py:Within": {}})) == {"measure"}
    assert small.changed_by(lambda small: small.write("within.py", b"2")) == {"measure"}


def test_the_packages_of_an_extra_count_where_a_metric_uses_it(small: SmallProject) -> None:
    def installed(version: str) -> Callable[[SmallProject], None]:
        def install(small: SmallProject) -> None:
            package = Package("jiwer", version, "7" * 64, "RECORD")
            small.surroundings._extras[frozenset({"text"})] = (package,)

        return install

    assert small.changed_by(installed("4.0.0")) == set()
    small.recipe["evaluation"]["metrics"] = {"word_error_rate": {"vocabulary": ["a"]}}
    assert small.changed_by(installed("4.0.1")) == {"measure"}


def test_the_content_of_a_metrics_file_counts_and_its_place_does_not(small: SmallProject) -> None:
    small.write("tokens.txt", b"a\nb\n")
    metric = {"bleu": {"vocabulary": "tokens.txt"}}
    assert small.changed_by(set_key("evaluation", "metrics", value=metric)) == {"measure"}
    assert small.changed_by(lambda small: small.write("tokens.txt", b"a\nc\n")) == {"measure"}


def test_a_seed_changes_everything_since_the_model_may_draw_numbers(small: SmallProject) -> None:
    assert small.changed_by(set_key("seed", value=7)) == ALL


def test_intervals_need_replicates(small: SmallProject) -> None:
    assert small.changed_by(set_key("acceptance", "confidence", value=0.95)) == {"measure"}


@pytest.mark.parametrize(
    "facts",
    [
        {"packages": (Package("tensorflow", "2.21.1", "2" * 64, "RECORD"), *ENVIRONMENT.packages[1:])},
        {"packages": (Package("tensorflow", "2.21.0+cpu", "9" * 64, "RECORD"), *ENVIRONMENT.packages[1:])},
    ],
    ids=["version", "content"],
)
def test_another_package_changes_the_stages_that_use_it(small: SmallProject, facts: dict[str, Any]) -> None:
    def upgrade(small: SmallProject) -> None:
        small.surroundings = type(small.surroundings)(small.root)
        small.surroundings.__dict__["environment"] = replace(ENVIRONMENT, **facts)

    assert small.changed_by(upgrade) == ALL  # those without TensorFlow come after those with it


@pytest.mark.parametrize(
    "facts",
    [
        {"python": {**ENVIRONMENT.python, "version": "3.11.8"}},
        {"platform": {**ENVIRONMENT.platform, "cpuFeatures": ["avx2"]}},
        {"variables": {"TF_ENABLE_ONEDNN_OPTS": "1"}},
    ],
    ids=["python", "processor", "variable"],
)
def test_another_machine_changes_every_stage(small: SmallProject, facts: dict[str, Any]) -> None:
    def move(small: SmallProject) -> None:
        small.surroundings = type(small.surroundings)(small.root)
        small.surroundings.__dict__["environment"] = replace(ENVIRONMENT, **facts)

    assert small.changed_by(move) == ALL


def as_flatbuffer(small: SmallProject) -> None:
    small.write("float.tflite", b"1")
    small.recipe["source"] = {"kind": "tflite", "path": "float.tflite"}
    small.recipe["custom_layers"] = {}
    small.recipe["converter"] = {"engine": "ai_edge_quantizer", "quantization": "int8"}


def test_a_float_flatbuffer_needs_no_tensorflow(small: SmallProject) -> None:
    as_flatbuffer(small)
    stages = small.stages()
    assert stages.keys() == ALL - {"lower"}
    assert {node.stage.worker for node in stages.values()} == {"litert"}


def test_the_second_engine_quantizes_without_tensorflow(small: SmallProject) -> None:
    small.recipe["converter"] = {"engine": "ai_edge_quantizer", "quantization": "int8"}
    workers = {label: node.stage.worker for label, node in small.stages().items()}
    assert (workers["lower"], workers["calibrate"], workers["quantize"]) == ("tensorflow", "litert", "litert")


@pytest.mark.parametrize("kind", ["keras", "tflite"])
def test_every_stage_looks_at_the_source_again_since_it_may_have_opened_it(small: SmallProject, kind: str) -> None:
    if kind == "tflite":
        as_flatbuffer(small)
    for node in small.stages().values():
        assert {entry.name for entry in node.reads} >= {"model", *small.recipe["custom_layers"].get("modules", ())}


def test_a_curve_depends_on_the_model_and_the_calibration_samples_alone(small: SmallProject) -> None:
    before = small.curve()
    small.samples["evaluation-samples"] = "f" * 64
    small.recipe["converter"] = {"quantization": "int16x8"}
    assert small.curve().key == before.key
    small.samples["calibration-samples"] = "d" * 64
    assert small.curve().key != before.key
    assert [need.label for need in before.needs] == ["load", "lower"]


def pruned(small: SmallProject, **optimize: Any) -> None:
    small.recipe["optimize"] = {"prune": {"sparsity": 0.5}, **optimize}


TRAINING = {"dataset": {"plugin": "npz", "path": "test.npz"}}


def test_pruning_in_one_shot_comes_between_the_model_and_its_conversion(small: SmallProject) -> None:
    changed = small.changed_by(pruned)
    added = {"optimize", "lower-optimized", "encode"}
    assert changed == {*added, *AFTER_CALIBRATE}  # what the float model answers stays the yardstick, and its conversion
    stages = small.stages()
    assert [need.label for need in stages["optimize"].needs] == ["load"]
    assert [need.label for need in stages["reference"].needs] == ["load"]
    assert {need.label for need in stages["quantize"].needs} == {"optimize", "lower-optimized", "calibrate"}
    assert {stages[label].stage.worker for label in added} == {"tensorflow"}


def test_trained_ranges_leave_out_calibration_and_a_second_lowering(small: SmallProject) -> None:
    small.recipe["optimize"] = {"quantization_aware_training": {"finetune": TRAINING}}
    small.samples = {"evaluation-samples": "e" * 64, "quantization_aware_training-samples": "t" * 64}
    assert small.keys().keys() == ALL - {"calibrate"} | {"optimize"}


def test_another_sample_of_a_training_trains_again(small: SmallProject) -> None:
    pruned(small, cluster={"clusters": 8, "finetune": TRAINING})
    small.samples["cluster-samples"] = "t" * 64
    after = {"optimize", "lower-optimized", "encode", *AFTER_CALIBRATE}
    assert small.changed_by(lambda small: small.samples.update({"cluster-samples": "u" * 64})) == after
    assert small.changed_by(set_key("optimize", "cluster", "finetune", "epochs", value=3)) == after
    assert small.changed_by(set_key("optimize", "prune", "layers", value="dense.*")) == after


def test_the_way_to_the_samples_of_a_training_means_nothing(small: SmallProject) -> None:
    pruned(small, cluster={"clusters": 8, "finetune": TRAINING})
    small.samples["cluster-samples"] = "t" * 64
    way = set_key("optimize", "cluster", "finetune", "dataset", value={"plugin": "digits"})
    assert small.changed_by(way) == set()


def test_leaving_zeros_in_the_file_leaves_out_one_stage(small: SmallProject) -> None:
    pruned(small)
    without = set_key("optimize", "prune", "encode", value=False)
    assert small.changed_by(without) == {"encode", "measure", "benchmark"}  # keys stand for digests here


@pytest.mark.parametrize("optimize", [{}, {"optimize": {"prune": {"sparsity": 0.5}}}])
def test_the_toolkit_is_an_input_of_builds_that_train_alone(small: SmallProject, optimize: dict[str, Any]) -> None:
    small.recipe.update(optimize)
    assert not any("tensorflow-model-optimization" in str(node.inputs) for node in small.stages().values())
    pruned(small, cluster={"clusters": 8})
    inputs = small.stages()["optimize"].inputs or {}
    assert "tensorflow-model-optimization" in inputs["packages"]


def test_a_missing_toolkit_is_told_before_anything_runs(small: SmallProject, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "packages_of", lambda _: ())
    pruned(small)
    assert small.keys()
    pruned(small, cluster={"clusters": 8})
    with pytest.raises(EnvironmentFault) as caught:
        small.keys()
    assert caught.value.fix == "pip install 'recipekit[optimize]'"


def test_where_nothing_is_run_a_build_needs_neither_reference_nor_evaluation_samples(small: SmallProject) -> None:
    small.recipe["evaluation"] = {"runtime": "none"}
    del small.samples["evaluation-samples"]
    assert small.keys().keys() == {"load", "lower", "calibrate", "quantize", "examine"}
    small.converted = Flatbuffer(path="", sha256="f" * 64, size=1)
    assert small.changed_by(set_key("converter", "allow_float", value=True)) == {"quantize"}


def test_the_code_of_a_replacement_is_read_before_anything_is_lowered(small: SmallProject) -> None:
    small.write("ops.py", b"1")
    everything = small.changed_by(set_key("custom_layers", "replace", value={"Erf": "ops.py:erf"}))
    assert everything == ALL
    assert small.changed_by(lambda _: small.write("ops.py", b"2")) == ALL


def test_what_decides_a_stage_is_known_to_the_letter(small: SmallProject, update_goldens: bool) -> None:
    """A build is found again as long as this stays; a new feature adds nothing to recipes that do without it."""
    small.recipe["source"] = {"kind": "saved_model", "path": "model.keras", "signature": "encode"}
    small.converted = Flatbuffer(path="", sha256="f" * 64, size=1)
    decided = {label: node.inputs for label, node in small.stages().items()}
    text = json.dumps(decided, indent=1, sort_keys=True) + "\n"
    if update_goldens:
        GOLDEN.write_text(text)
    assert text == GOLDEN.read_text()


def test_the_samples_of_each_signature_decide_as_those_of_one(small: SmallProject) -> None:
    small.recipe["source"] = {"kind": "saved_model", "path": "model.keras", "signature": ["encode", "decode"]}
    small.recipe["evaluation"]["metrics"] = {"encode/top1_accuracy": {}}
    assert small.changed_by(lambda _: small.samples.update({"calibration-samples": "d" * 64})) == AFTER_CALIBRATE
    assert small.changed_by(set_key("source", "signature", value=["decode", "encode"])) == ALL


DRAWN_ANEW = {"probe": {"probe", "illustrate"}, "illustrate": {"illustrate"}, "nothing": set[str]()}


@pytest.mark.parametrize(
    ("change", "drawn"),
    [
        (set_key("acceptance", "parity", value={"sqnr_db": {"min": 20}}), "nothing"),
        (set_key("version", value="2.0.0"), "nothing"),
        (set_key("evaluation", "benchmark", value={"runs": 7}), "illustrate"),
        (set_key("evaluation", "metrics", value={}), "illustrate"),
        (set_key("converter", "allow_float", value=True), "probe"),
        (lambda small: small.samples.update({"evaluation-samples": "d" * 64}), "probe"),
    ],
)
def test_figures_are_drawn_anew_for_what_they_show_and_nothing_else(
    small: SmallProject, change: Callable[[SmallProject], object], drawn: str
) -> None:
    before = small.figures()
    change(small)
    after = small.figures()
    assert {label for label in after if before[label] != after[label]} == DRAWN_ANEW[drawn]


def test_the_library_that_draws_decides_the_drawings_alone(small: SmallProject) -> None:
    before, stages = small.figures(), small.keys()
    library = Package("lets-plot", "9.9.9", "9" * 64, "RECORD")
    newer = replace(ENVIRONMENT, packages=(*ENVIRONMENT.packages, library))
    small.surroundings.__dict__["environment"] = newer
    after = small.figures()
    assert (after["probe"], small.keys()) == (before["probe"], stages)
    assert after["illustrate"] != before["illustrate"]
