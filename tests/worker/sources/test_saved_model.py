from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from recipekit.errors import SourceError, UnsafeSource
from tests.conftest import RunStage
from tests.worker.float_sources import (
    assert_agree,
    both_sides,
    dataset,
    load,
    measured,
    model,
    reference,
    values,
    worst_sqnr_db,
)

pytestmark = pytest.mark.tensorflow


def test_a_signature_is_fed_by_name(run_stage: RunStage, float_models: Path, tmp_path: Path) -> None:
    expected, converted = both_sides(run_stage, model("saved_model", float_models / "two"), tmp_path)
    assert_agree((expected, converted))
    samples = np.load(tmp_path / "samples.npz")
    weight = np.array([1.0, 2.0, 3.0, 4.0], np.float32)
    np.testing.assert_allclose(
        expected["difference"][:, 0], samples["zeta"] @ weight - 2.0 * samples["alpha"] @ weight, rtol=1e-5, atol=1e-5
    )


def test_objects_of_keras_2_load_after_tf_keras(run_stage: RunStage, float_models: Path, tmp_path: Path) -> None:
    spec = model("saved_model", float_models / "slots")
    loaded = load(run_stage, spec)
    assert loaded.loader == "saved_model"
    assert "tf_keras was imported" in loaded.reason
    assert_agree(both_sides(run_stage, spec, tmp_path))


def test_objects_that_do_not_load_leave_the_graph(run_stage: RunStage, float_models: Path, tmp_path: Path) -> None:
    spec = model("saved_model", float_models / "slots_without_types")
    loaded = load(run_stage, spec)
    assert loaded.loader == "saved_model_v1"
    assert "add_slot" in loaded.reason
    assert loaded.saved_model != spec.source.path
    assert_agree(both_sides(run_stage, spec, tmp_path))


def test_an_unknown_signature_lists_those_there_are(run_stage: RunStage, float_models: Path) -> None:
    with pytest.raises(SourceError, match="did you mean 'reciprocal'") as caught:
        load(run_stage, model("saved_model", float_models / "two", signature="reciprocl"))
    assert "reciprocal, serving_default" in caught.value.fix


def test_operators_that_read_files_are_refused_by_name(run_stage: RunStage, float_models: Path) -> None:
    with pytest.raises(UnsafeSource, match="ReadFile"):
        load(run_stage, model("saved_model", float_models / "reads"))
    assert load(run_stage, model("saved_model", float_models / "reads", allow_unsafe=True)).loader == "saved_model"


def test_a_folder_without_a_saved_model_says_what_is_missing(run_stage: RunStage, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"saved_model\.pb is missing"):
        load(run_stage, model("saved_model", tmp_path))
    with pytest.raises(SourceError, match="there is no such folder"):
        load(run_stage, model("saved_model", tmp_path / "nothing"))


@pytest.mark.parametrize("keep", [0, 100, 2000])
def test_a_cut_off_saved_model_is_not_readable(
    run_stage: RunStage, float_models: Path, tmp_path: Path, keep: int
) -> None:
    folder = shutil.copytree(float_models / "two", tmp_path / "two")
    (folder / "saved_model.pb").write_bytes((folder / "saved_model.pb").read_bytes()[:keep])
    with pytest.raises(SourceError, match="is not a readable SavedModel"):
        load(run_stage, model("saved_model", folder))


def test_a_saved_model_without_its_variables_is_not_readable(
    run_stage: RunStage, float_models: Path, tmp_path: Path
) -> None:
    folder = shutil.copytree(float_models / "two", tmp_path / "two")
    shutil.rmtree(folder / "variables")
    with pytest.raises(SourceError, match="is not a readable SavedModel"):
        load(run_stage, model("saved_model", folder))


@pytest.mark.parametrize(
    ("quantization", "sqnr_db"), [("none", 110.0), ("float16", 60.0), ("dynamic_range", 30.0), ("int8", 30.0)]
)
def test_what_tensorflow_1_wrote_goes_by_the_names_of_its_signature(
    run_stage: RunStage, graph_models: Path, tmp_path: Path, quantization: str, sqnr_db: float
) -> None:
    spec = model("saved_model", graph_models / "scorer", signature="predict")
    measurement = measured(run_stage, spec, tmp_path, quantization)
    assert measurement.parity.keys() == {"scores", "a_total"}
    assert worst_sqnr_db(measurement) > sqnr_db


@pytest.mark.parametrize("name", ["scorer", "scorer_with_tags", "idle_input"])
def test_a_graph_without_objects_is_read_by_the_loader_of_tensorflow_1(
    run_stage: RunStage, graph_models: Path, tmp_path: Path, name: str
) -> None:
    spec = model("saved_model", graph_models / name, signature="predict")
    loaded = load(run_stage, spec)
    assert loaded.loader == "saved_model_v1"
    assert loaded.saved_model != spec.source.path
    assert {tensor.name for tensor in loaded.signature.inputs} >= {"zeta", "alpha"}
    assert worst_sqnr_db(measured(run_stage, spec, tmp_path)) > 110


def test_lookup_tables_of_tensorflow_1_keep_what_they_hold(
    run_stage: RunStage, graph_models: Path, tmp_path: Path
) -> None:
    spec = model("saved_model", graph_models / "words", signature="predict")
    assert "lookup tables" in load(run_stage, spec).reason
    samples = {"word": np.array([["cat", "eel"], ["dog", "cat"]])}
    assert worst_sqnr_db(measured(run_stage, spec, tmp_path, samples=samples)) > 110
    answer = values(reference(run_stage, spec, load(run_stage, spec), dataset(tmp_path / "words.npz", samples)))
    (cat, eel), (dog, again) = answer["embedding"]
    np.testing.assert_array_equal(cat, again)
    assert len({tuple(row) for row in (cat, eel, dog)}) == 3
