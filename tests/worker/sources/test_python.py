from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from recipekit.errors import PluginError
from tests.conftest import RunStage
from tests.worker.float_sources import assert_agree, both_sides, load, measured, model, worst_sqnr_db

pytestmark = pytest.mark.tensorflow


def test_a_keras_model_has_the_same_names_however_often_it_is_built(run_stage: RunStage) -> None:
    names = []
    for units in (2, 3):
        loaded = load(run_stage, model("python", factory="factories.py:keras_model", kwargs={"units": units}))
        names.append(loaded.signature.inputs[0].name)
        assert loaded.signature.outputs[0].shape == (None, units)
        assert loaded.loader == "factory"
    assert names[0] == names[1]


def test_a_module_around_a_keras_3_model_keeps_its_weights(run_stage: RunStage, tmp_path: Path) -> None:
    assert_agree(both_sides(run_stage, model("python", factory="factories.py:holder"), tmp_path))


def test_a_concrete_function_is_fed_by_name(run_stage: RunStage, tmp_path: Path) -> None:
    expected, converted = both_sides(run_stage, model("python", factory="factories.py:concrete"), tmp_path)
    assert_agree((expected, converted))
    samples = np.load(tmp_path / "samples.npz")
    np.testing.assert_allclose(expected["output_1"], samples["zeta"] + samples["alpha"], rtol=1e-6)


def test_names_that_are_not_python_names_survive(run_stage: RunStage, tmp_path: Path) -> None:
    sides = both_sides(run_stage, model("python", factory="factories.py:odd_names"), tmp_path)
    assert sides[0].keys() == {"left/right"}
    assert_agree(sides)


def test_a_lookup_table_is_exported_with_the_model(run_stage: RunStage) -> None:
    loaded = load(run_stage, model("python", factory="factories.py:vocabulary"))
    again = load(run_stage, model("saved_model", Path(loaded.saved_model)))
    assert again.loader == "saved_model"
    assert again.signature == loaded.signature


def test_nested_inputs_go_by_the_way_to_each_of_them(run_stage: RunStage, tmp_path: Path) -> None:
    expected, converted = both_sides(run_stage, model("python", factory="factories.py:nested"), tmp_path)
    assert_agree((expected, converted))
    samples = np.load(tmp_path / "samples.npz")
    assert set(samples) == {"pair_left", "pair_right_0", "pair_right_1"}
    whole = samples["pair_left"] - 2 * samples["pair_right_0"] + 3 * samples["pair_right_1"]
    np.testing.assert_allclose(expected["y"], whole, rtol=1e-5)


@pytest.mark.parametrize("factory", ["predictor", "declared_function", "wrapped"])
def test_every_kind_of_function_is_converted(run_stage: RunStage, tmp_path: Path, factory: str) -> None:
    spec = model("python", factory=f"factories.py:{factory}")
    assert [tensor.name for tensor in load(run_stage, spec).signature.inputs] == ["x"]
    assert worst_sqnr_db(measured(run_stage, spec, tmp_path)) > 110


def test_a_restored_saved_model_goes_by_its_signature(run_stage: RunStage, float_models: Path, tmp_path: Path) -> None:
    exported = load(run_stage, model("saved_model", float_models / "slots")).saved_model
    spec = model("python", factory="factories.py:restored", kwargs={"path": exported})
    assert worst_sqnr_db(measured(run_stage, spec, tmp_path)) > 110


@pytest.mark.parametrize(
    ("factory", "message"),
    [
        ("number", "gave a int"),
        ("undeclared_function", "a tf.function that doesn't say what it takes"),
        ("bare_module", "a Module that has no signature"),
        ("two_functions", "2 functions that could be meant: serving_default, __call__"),
        ("leaves", r"called sys.exit\(0\)"),
        ("keras_model", "raised TypeError.*'units'"),
        ("nothing", "has no 'nothing'"),
    ],
)
def test_a_factory_that_gives_no_model_is_named(run_stage: RunStage, factory: str, message: str) -> None:
    with pytest.raises(PluginError, match=message) as caught:
        load(run_stage, model("python", factory=f"factories.py:{factory}"))
    assert "factories.py" in str(caught.value)
