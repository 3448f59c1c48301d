from __future__ import annotations

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest

from recipekit.contracts import CustomLayersSpec
from recipekit.errors import CustomLayerError, SourceError, UnsafeSource
from tests.conftest import RunStage
from tests.worker.float_sources import LAYERS, MLPERF_TINY, assert_agree, both_sides, load, model

pytestmark = pytest.mark.tensorflow


@pytest.mark.parametrize("name", ["two_inputs.keras", "two_inputs.h5"])
def test_inputs_and_outputs_keep_their_names_though_their_order_changes(
    run_stage: RunStage, float_models: Path, tmp_path: Path, name: str
) -> None:
    expected, converted = both_sides(run_stage, model("keras", float_models / name), tmp_path)
    assert_agree((expected, converted))
    assert expected.keys() == {"scores", "a_total"}
    samples = np.load(tmp_path / "samples.npz")
    np.testing.assert_allclose(expected["a_total"], samples["zeta"] + samples["alpha"], rtol=1e-6)


def test_input_names_need_not_be_python_names(run_stage: RunStage, float_models: Path, tmp_path: Path) -> None:
    expected, converted = both_sides(run_stage, model("keras", float_models / "odd_names.keras"), tmp_path)
    assert_agree((expected, converted))
    samples = np.load(tmp_path / "samples.npz")
    np.testing.assert_allclose(expected["difference"], samples["side view"] - samples["class"], rtol=1e-6)


def test_outputs_of_one_layer_are_told_apart(run_stage: RunStage, float_models: Path, tmp_path: Path) -> None:
    sides = both_sides(run_stage, model("keras", float_models / "shared.keras"), tmp_path)
    assert sides[0].keys() == {"shared", "shared_1"}
    assert_agree(sides)


@pytest.mark.parametrize("name", ["legacy.h5", "legacy.keras"])
def test_a_file_of_keras_2_goes_to_tf_keras(run_stage: RunStage, float_models: Path, tmp_path: Path, name: str) -> None:
    spec = model("keras", float_models / name)
    loaded = load(run_stage, spec)
    assert loaded.loader == "tf_keras"
    assert "Keras 2" in loaded.reason
    assert_agree(both_sides(run_stage, spec, tmp_path))


def test_a_published_keras_2_file_converts(run_stage: RunStage, tmp_path: Path) -> None:
    path = MLPERF_TINY / "vww_96.h5"
    if not path.exists():
        pytest.skip("the MLPerf Tiny models are not here")
    assert_agree(both_sides(run_stage, model("keras", path), tmp_path))


def test_a_loader_that_cannot_read_the_file_points_at_auto(run_stage: RunStage, float_models: Path) -> None:
    for name, loader in (("legacy.h5", "keras3"), ("two_inputs.h5", "keras2"), ("two_inputs.keras", "keras2")):
        with pytest.raises(SourceError) as caught:
            load(run_stage, model("keras", float_models / name, loader=loader))
        assert "source.loader: auto" in caught.value.fix


@pytest.mark.parametrize(
    ("name", "layers"),
    [
        ("scale.keras", LAYERS),
        ("shift.keras", LAYERS),
        ("net.keras", LAYERS),
        ("scale.keras", CustomLayersSpec(objects={"Scale": "layers/scale.py:Scale"})),
    ],
)
def test_custom_layers_are_found(
    run_stage: RunStage, float_models: Path, tmp_path: Path, name: str, layers: CustomLayersSpec
) -> None:
    assert_agree(both_sides(run_stage, model("keras", float_models / name, layers), tmp_path))


def test_a_missing_custom_layer_is_named_with_the_place_to_register_it(run_stage: RunStage, float_models: Path) -> None:
    with pytest.raises(CustomLayerError, match="'Scale' is not registered") as caught:
        load(run_stage, model("keras", float_models / "scale.keras"))
    assert "custom_layers.modules" in caught.value.fix
    assert "custom_layers.objects" in caught.value.fix


def test_a_layer_that_cannot_be_rebuilt_is_named(run_stage: RunStage, float_models: Path) -> None:
    with pytest.raises(CustomLayerError, match=r"'Forgetful' can't be rebuilt.*'factor'") as caught:
        load(run_stage, model("keras", float_models / "forgetful.keras", LAYERS))
    assert "get_config()" in caught.value.fix


def test_a_layer_of_the_other_keras_is_named(run_stage: RunStage, float_models: Path) -> None:
    layers = CustomLayersSpec(objects={"DepthwiseConv2D": "layers/scale.py:Scale"})
    with pytest.raises(CustomLayerError, match="'DepthwiseConv2D' is a layer of Keras 3") as caught:
        load(run_stage, model("keras", float_models / "legacy.h5", layers))
    assert "tf_keras.layers.Layer" in caught.value.fix


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("lambda.keras", "outer/inner/double"),
        ("lambda_loss.keras", "compile_config/__lambda__"),
        ("lambda.h5", "double"),
    ],
)
def test_a_lambda_is_refused_by_its_path(run_stage: RunStage, float_models: Path, name: str, place: str) -> None:
    with pytest.raises(UnsafeSource, match=place) as caught:
        load(run_stage, model("keras", float_models / name))
    assert "allow_unsafe: true" in caught.value.fix


@pytest.mark.parametrize("name", ["lambda.keras", "lambda_loss.keras", "lambda.h5"])
def test_a_lambda_runs_where_it_is_allowed(run_stage: RunStage, float_models: Path, tmp_path: Path, name: str) -> None:
    assert_agree(both_sides(run_stage, model("keras", float_models / name, allow_unsafe=True), tmp_path))


def test_a_model_whose_inputs_are_not_known_is_refused(run_stage: RunStage, float_models: Path) -> None:
    with pytest.raises(SourceError, match=r"inputs of the model 'net' \(TwoArguments\) are not known"):
        load(run_stage, model("keras", float_models / "two_arguments.keras", LAYERS))


def test_damaged_weights_are_not_a_readable_file(run_stage: RunStage, float_models: Path, tmp_path: Path) -> None:
    data = bytearray((float_models / "legacy.h5").read_bytes())
    for place in range(len(data) // 2, len(data), 7):
        data[place] ^= 0x5A
    damaged = tmp_path / "damaged.h5"
    damaged.write_bytes(data)
    with pytest.raises(SourceError, match="is not a readable Keras file"):
        load(run_stage, model("keras", damaged))


def test_a_file_of_a_newer_keras_says_which_one_to_install(
    run_stage: RunStage, float_models: Path, tmp_path: Path
) -> None:
    newer = tmp_path / "newer.keras"
    with zipfile.ZipFile(float_models / "two_inputs.keras") as old, zipfile.ZipFile(newer, "w") as new:
        for name in old.namelist():
            text = old.read(name)
            if name == "metadata.json":
                text = json.dumps(json.loads(text) | {"keras_version": "99.1.0"}).encode()
            elif name == "config.json":
                text = text.replace(b'"use_bias": true', b'"use_bias": true, "not_invented_yet": 1')
            new.writestr(name, text)
    with pytest.raises(SourceError) as caught:
        load(run_stage, model("keras", newer))
    assert "saved by Keras 99.1.0" in caught.value.fix
