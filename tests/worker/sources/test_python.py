from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from recipekit.errors import PluginError
from tests.conftest import RunStage
from tests.worker.float_sources import assert_agree, both_sides, load, model

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


@pytest.mark.parametrize(
    ("factory", "message"),
    [
        ("number", "gave a int"),
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
