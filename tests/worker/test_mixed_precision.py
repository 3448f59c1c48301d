from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from recipekit.errors import CustomLayerError
from tests.conftest import RunStage
from tests.worker.float_sources import (
    LAYERS,
    dataset,
    draw,
    load,
    measured,
    model,
    reference,
    values,
    worst_sqnr_db,
)

pytestmark = pytest.mark.tensorflow


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("mixed_float16.keras", "float32.keras"),
        ("mixed_float16.h5", "float32.keras"),
        ("mixed_bfloat16.keras", "float32.keras"),
        ("legacy_mixed_float16.h5", "legacy_float32.h5"),
        ("legacy_mixed_float16.keras", "legacy_float32.h5"),
    ],
)
def test_the_twin_answers_like_the_same_model_in_float32(
    run_stage: RunStage, half_models: Path, tmp_path: Path, name: str, plain: str
) -> None:
    spec, other = model("keras", half_models / name), model("keras", half_models / plain)
    loaded = load(run_stage, spec)
    assert f"the dtype policy {name.removeprefix('legacy_').partition('.')[0]}, which TensorFlow" in loaded.reason
    samples = dataset(tmp_path / "samples.npz", draw(loaded, 5))
    twin = values(reference(run_stage, spec, loaded, samples))["scores"]
    expected = values(reference(run_stage, other, load(run_stage, other), samples))["scores"]
    np.testing.assert_allclose(twin, expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("quantization", "sqnr_db"), [("none", 110.0), ("float16", 60.0), ("dynamic_range", 30.0), ("int8", 30.0)]
)
def test_a_mixed_model_is_converted_by_every_scheme(
    run_stage: RunStage, half_models: Path, tmp_path: Path, quantization: str, sqnr_db: float
) -> None:
    spec = model("keras", half_models / "mixed_float16.keras")
    assert worst_sqnr_db(measured(run_stage, spec, tmp_path, quantization)) > sqnr_db


def test_weights_in_float16_are_widened(run_stage: RunStage, half_models: Path, tmp_path: Path) -> None:
    spec = model("keras", half_models / "float16.keras")
    assert worst_sqnr_db(measured(run_stage, spec, tmp_path)) > 110


def test_layers_of_the_project_are_part_of_the_twin(run_stage: RunStage, half_models: Path, tmp_path: Path) -> None:
    spec = model("keras", half_models / "own_layer.keras", LAYERS)
    assert worst_sqnr_db(measured(run_stage, spec, tmp_path)) > 110


def test_a_factory_may_give_a_mixed_model(run_stage: RunStage, tmp_path: Path) -> None:
    spec = model("python", factory="factories.py:mixed_precision")
    assert "float32 twin" in load(run_stage, spec).reason
    assert worst_sqnr_db(measured(run_stage, spec, tmp_path)) > 110


def test_a_model_that_can_not_be_rebuilt_has_no_twin(run_stage: RunStage) -> None:
    with pytest.raises(CustomLayerError, match="float32 twin can't be built") as caught:
        load(run_stage, model("python", factory="factories.py:mixed_precision", kwargs={"forgetful": True}))
    assert "policy float32" in caught.value.fix


def test_a_float32_model_is_taken_as_it_is(run_stage: RunStage, half_models: Path) -> None:
    assert "twin" not in load(run_stage, model("keras", half_models / "float32.keras")).reason
