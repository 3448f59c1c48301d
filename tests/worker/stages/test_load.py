from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from recipekit.contracts import TensorSpec
from recipekit.errors import SourceError
from tests.conftest import RunStage
from tests.worker.float_sources import load, model

pytestmark = pytest.mark.tensorflow


def test_input_shapes_fix_dynamic_dimensions(run_stage: RunStage, float_models: Path) -> None:
    loaded = load(run_stage, model("keras", float_models / "map.keras", input_shapes={"image": (1, 8, 6, 3)}))
    assert loaded.signature.inputs == (TensorSpec(name="image", shape=(1, 8, 6, 3), dtype="float32"),)
    assert loaded.signature.outputs == (TensorSpec(name="map", shape=(1, 8, 6, 2), dtype="float32"),)
    assert loaded.signature_key == "serving_default"
    assert loaded.parameters == 56


def test_dimensions_stay_dynamic_without_input_shapes(run_stage: RunStage, float_models: Path) -> None:
    loaded = load(run_stage, model("keras", float_models / "map.keras"))
    assert loaded.signature.inputs[0].shape == (None, None, None, 3)


def test_an_exported_signature_reads_back_as_it_was_recorded(run_stage: RunStage, float_models: Path) -> None:
    loaded = load(run_stage, model("keras", float_models / "two_inputs.keras"))
    again = load(run_stage, model("saved_model", Path(loaded.saved_model)))
    assert {spec.name: spec for spec in again.signature.inputs} == {spec.name: spec for spec in loaded.signature.inputs}
    assert {spec.name for spec in again.signature.outputs} == {"scores", "a_total"}


def test_an_unknown_input_in_input_shapes_has_the_nearest_name(run_stage: RunStage, float_models: Path) -> None:
    with pytest.raises(SourceError, match="no input 'imge'; did you mean 'image'"):
        load(run_stage, model("keras", float_models / "map.keras", input_shapes={"imge": (1, 8, 8, 3)}))


@pytest.mark.parametrize("shape", [(1, 8, 8, 4), (8, 8, 3)])
def test_a_shape_that_contradicts_the_model_is_shown_beside_its_own(
    run_stage: RunStage, float_models: Path, shape: tuple[int, ...]
) -> None:
    with pytest.raises(SourceError) as caught:
        load(run_stage, model("keras", float_models / "map.keras", input_shapes={"image": shape}))
    assert str(list(shape)) in caught.value.what
    assert "[?, ?, ?, 3]" in caught.value.what


def test_a_sound_saved_model_is_used_where_it_stands(run_stage: RunStage, float_models: Path) -> None:
    loaded = load(run_stage, model("saved_model", float_models / "two", signature="reciprocal"))
    assert loaded.saved_model == str(float_models / "two")
    assert loaded.signature_key == "reciprocal"


def test_a_saved_model_with_input_shapes_is_written_anew(run_stage: RunStage, float_models: Path) -> None:
    shapes = {"zeta": (1, 4), "alpha": (1, 4)}
    loaded = load(run_stage, model("saved_model", float_models / "two", input_shapes=shapes))
    assert loaded.saved_model != str(float_models / "two")
    assert {spec.shape for spec in loaded.signature.outputs} == {(1, 1), (1, 4)}


def test_a_changed_file_is_loaded_again(run_stage: RunStage, float_models: Path, tmp_path: Path) -> None:
    path = tmp_path / "model.keras"
    shutil.copy(float_models / "two_inputs.keras", path)
    before = load(run_stage, model("keras", path))
    shutil.copy(float_models / "map.keras", path)
    after = load(run_stage, model("keras", path))
    assert {spec.name for spec in before.signature.inputs} == {"zeta", "alpha"}
    assert {spec.name for spec in after.signature.inputs} == {"image"}
