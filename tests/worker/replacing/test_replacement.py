"""Replaced layers and operators: the file holds the equivalent, the reference stays the original."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from recipekit.contracts import EXACT_SQNR_DB, Agreement, AgreeRequest, CustomLayersSpec, ModelSpec
from recipekit.errors import CustomLayerError, PluginError, RecipekitError
from tests.conftest import RunStage
from tests.worker.float_sources import assert_agree, both_sides, dataset, load, model

pytestmark = pytest.mark.tensorflow


def replacing(factory: str, **replace: str) -> ModelSpec:
    equivalents = {name: f"replacements.py:{found}" for name, found in replace.items()}
    return model("python", layers=CustomLayersSpec(replace=equivalents), factory=f"lacking.py:{factory}")


@pytest.mark.parametrize(
    ("factory", "name", "equivalent", "places"),
    [
        ("nested", "Swirl", "PlainSwirl", {"inner_swirl", "outer_swirl"}),
        ("subclassed", "Swirl", "PlainSwirl", {"kept"}),
        ("legacy", "LegacySwirl", "LegacyPlainSwirl", {"swirl"}),
    ],
)
def test_a_layer_is_converted_as_its_equivalent_with_its_own_settings_and_weights(
    run_stage: RunStage, tmp_path: Path, factory: str, name: str, equivalent: str, places: set[str]
) -> None:
    spec = replacing(factory, **{name: equivalent})
    loaded = load(run_stage, spec)
    (replacement,) = loaded.replaced
    assert (replacement.name, replacement.by) == (name, f"replacements.py:{equivalent}")
    assert set(replacement.places) == places
    assert loaded.replacement_sqnr_db is not None
    assert loaded.replacement_sqnr_db > 100
    assert_agree(both_sides(run_stage, spec, tmp_path))  # the plain conversion of Betainc would fail


@pytest.mark.parametrize(
    ("file", "name", "function"),
    [("scale.keras", "Scale", "times"), ("scale.h5", "Scale", "times"), ("shift.keras", "Shop>Shift", "plus")],
)
def test_a_function_stands_for_a_layer_of_a_file_and_gets_its_settings(
    run_stage: RunStage, float_models: Path, file: str, name: str, function: str
) -> None:
    layers = CustomLayersSpec(modules=("layers/scale.py",), replace={name: f"replacements.py:{function}"})
    loaded = load(run_stage, model("keras", float_models / file, layers))
    assert loaded.replacement_sqnr_db == EXACT_SQNR_DB
    assert loaded.replaced[0].places == ("own",)


def test_an_operator_is_replaced_wherever_it_stands(run_stage: RunStage, tmp_path: Path) -> None:
    spec = replacing("everywhere", Erf="erf")
    loaded = load(run_stage, spec)
    (replacement,) = loaded.replaced
    assert len(replacement.places) == 5
    assert any("while" in place for place in replacement.places)
    assert any("cond" in place for place in replacement.places)
    assert loaded.replacement_sqnr_db is not None
    assert 60 < loaded.replacement_sqnr_db < EXACT_SQNR_DB
    assert_agree(both_sides(run_stage, spec, tmp_path))


def test_a_function_gets_the_attributes_of_the_operator_that_it_has_parameters_for(
    run_stage: RunStage, tmp_path: Path
) -> None:
    spec = replacing("attributes", MaxPool3D="max_pool3d")
    assert load(run_stage, spec).replacement_sqnr_db == EXACT_SQNR_DB
    assert_agree(both_sides(run_stage, spec, tmp_path))


def test_an_operator_with_several_results_keeps_their_order(run_stage: RunStage, tmp_path: Path) -> None:
    assert_agree(both_sides(run_stage, replacing("two_results", LogMatrixDeterminant="log_determinant"), tmp_path))


def test_a_saved_model_is_replaced_in_a_copy(run_stage: RunStage, float_models: Path, tmp_path: Path) -> None:
    source = float_models / "two"
    before = (source / "saved_model.pb").read_bytes()
    layers = CustomLayersSpec(replace={"MatMul": "tensorflow:linalg.matmul"})
    spec = model("saved_model", source, layers)
    loaded = load(run_stage, spec)
    assert loaded.saved_model != str(source)
    assert len(loaded.replaced[0].places) == 2
    assert (source / "saved_model.pb").read_bytes() == before
    assert_agree(both_sides(run_stage, spec, tmp_path))


@pytest.mark.parametrize(
    ("spec", "error", "said"),
    [
        (replacing("everywhere", Erff="erf"), CustomLayerError, "no operator 'Erff'; did you mean 'Erf'"),
        (replacing("nested", Swirls="PlainSwirl"), CustomLayerError, "did you mean 'Swirl'"),
        (replacing("everywhere", Erf="identity"), CustomLayerError, "dB; 40 are needed"),
        (replacing("everywhere", Erf="twice"), CustomLayerError, "gives float32, float32, and the operator float32"),
        (replacing("everywhere", Erf="halves"), CustomLayerError, "gives float16, and the operator float32"),
        (replacing("everywhere", Erf="of_a_variable"), CustomLayerError, "holds a variable"),
        (replacing("everywhere", Erf="raises"), PluginError, "ValueError: not today"),
        (replacing("everywhere", Erf="NOTHING"), CustomLayerError, "is a NoneType"),
        (replacing("everywhere", Erf="absent"), PluginError, "has no 'absent'"),
        (replacing("nested", Swirl="Weightless"), CustomLayerError, "shapes .., the layer 'inner_swirl'"),
        (replacing("nested", Swirl="LegacyPlainSwirl"), CustomLayerError, "no layer of the Keras that the model"),
        (replacing("nested", Swirl="scaled"), CustomLayerError, "dB; 40 are needed"),
    ],
    ids=lambda value: "" if isinstance(value, type) else None,
)
def test_a_replacement_that_does_not_fit_is_refused(
    run_stage: RunStage, spec: ModelSpec, error: type[RecipekitError], said: str
) -> None:
    with pytest.raises(error, match=said):
        load(run_stage, spec)


def test_after_a_replacement_the_model_in_the_process_is_the_original_again(
    run_stage: RunStage, tmp_path: Path
) -> None:
    plain = model("python", factory="lacking.py:nested")
    sides = both_sides(run_stage, replacing("nested", Swirl="PlainSwirl"), tmp_path)
    loaded = load(run_stage, plain)
    assert loaded.replaced == ()
    assert "outer_swirl (Swirl)" in loaded.layers_by_scope.values()
    assert sides[0].keys() == {"y"}


# --- on samples -----------------------------------------------------------------------------------------------------


def agreement(run_stage: RunStage, spec: ModelSpec, folder: Path) -> Agreement:
    """Of a model that has no numbers for drawn inputs, on samples for which it has some."""
    loaded = load(run_stage, spec)
    assert loaded.replacement_sqnr_db is None
    samples = dataset(folder / "far.npz", {"x": np.random.default_rng(0).uniform(101, 900, (8, 4)).astype(np.float32)})
    answer: Agreement = run_stage("agree", AgreeRequest(model=spec, loaded=loaded, dataset=samples))
    return answer


def test_where_drawn_inputs_tell_nothing_samples_do(run_stage: RunStage, tmp_path: Path) -> None:
    found = agreement(run_stage, replacing("far", Swirl="PlainSwirl"), tmp_path)
    assert found.sqnr_db is not None
    assert found.sqnr_db > 100
    assert found.samples.count == 8


def test_a_replacement_that_only_samples_show_to_be_wrong_is_refused(run_stage: RunStage, tmp_path: Path) -> None:
    with pytest.raises(CustomLayerError, match=r"Swirl by 'replacements.py:scaled' .* dB; 40 are needed"):
        agreement(run_stage, replacing("far", Swirl="scaled"), tmp_path)
