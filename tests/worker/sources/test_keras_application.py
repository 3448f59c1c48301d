from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from recipekit.contracts import LOAD, LoadRequest, ModelSpec
from recipekit.errors import SourceError
from recipekit.pool import Pool
from tests.conftest import RunStage
from tests.worker.float_sources import Arrays, dataset, load, measured, model, reference, values, worst_sqnr_db

pytestmark = pytest.mark.tensorflow

ARGUMENTS = {"input_shape": [32, 32, 3], "alpha": 0.25, "include_top": False, "pooling": "avg"}


def application(path: Path | None = None, **source: Any) -> ModelSpec:
    return model("keras_application", path, **{"name": "MobileNet", "kwargs": ARGUMENTS, **source})


def answers(run_stage: RunStage, spec: ModelSpec, tmp_path: Path) -> Arrays:
    loaded = load(run_stage, spec)
    image = np.random.default_rng(0).uniform(-1, 1, (2, 32, 32, 3)).astype(np.float32)
    samples = dataset(tmp_path / "samples.npz", {loaded.signature.inputs[0].name: image})
    return values(reference(run_stage, spec, loaded, samples))


@pytest.fixture(scope="module")
def at_random(run_stage: RunStage, tmp_path_factory: pytest.TempPathFactory) -> Arrays:
    """What the architecture answers with the weights of the seed."""
    return answers(run_stage, application(), tmp_path_factory.mktemp("random"))


@pytest.mark.parametrize(("quantization", "sqnr_db"), [("none", 100.0), ("float16", 50.0), ("dynamic_range", 25.0)])
def test_an_architecture_is_converted_by_its_name(
    run_stage: RunStage, tmp_path: Path, quantization: str, sqnr_db: float
) -> None:
    assert worst_sqnr_db(measured(run_stage, application(), tmp_path, quantization)) > sqnr_db


def test_random_weights_are_those_of_the_seed(run_stage: RunStage, at_random: Arrays, tmp_path: Path) -> None:
    other = answers(run_stage, msgspec.structs.replace(application(), seed=1), tmp_path)
    again = answers(run_stage, application(), tmp_path)
    assert at_random.keys() == again.keys()
    for name, array in at_random.items():
        np.testing.assert_array_equal(array, again[name])
        assert not np.array_equal(array, other[name])


@pytest.mark.parametrize("name", ["mobilenet.weights.h5", "mobilenet_published.h5"])
def test_weights_of_a_file_do_not_depend_on_the_seed(
    run_stage: RunStage, float_models: Path, at_random: Arrays, tmp_path: Path, name: str
) -> None:
    spec = application(float_models / name, weights="file")
    first = answers(run_stage, spec, tmp_path)
    other = answers(run_stage, msgspec.structs.replace(spec, seed=1), tmp_path)
    for output, array in first.items():
        np.testing.assert_array_equal(array, other[output])
        assert not np.array_equal(array, at_random[output])


def test_a_weights_file_of_another_architecture_is_named(run_stage: RunStage, float_models: Path) -> None:
    path = float_models / "mobilenet.weights.h5"
    with pytest.raises(SourceError, match=r"does not fit keras\.applications\.MobileNet") as caught:
        load(run_stage, application(path, weights="file", kwargs={**ARGUMENTS, "alpha": 0.5}))
    assert caught.value.where == str(path)
    assert "alpha" in caught.value.fix


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ({"name": "MobilNet"}, "no model 'MobilNet'; did you mean 'MobileNet'"),
        ({"kwargs": {"input_shap": [32, 32, 3]}}, "takes no 'input_shap'; did you mean 'input_shape'"),
        ({"kwargs": {"weights": None}}, "takes no 'weights'"),
        ({"kwargs": {"input_shape": [8, 8, 3]}}, "can't be built: ValueError: Input size must be at least 32x32"),
    ],
)
def test_what_keras_does_not_have_or_take_is_named(run_stage: RunStage, source: dict[str, Any], message: str) -> None:
    with pytest.raises(SourceError, match=message):
        load(run_stage, application(**source))


def test_weights_that_can_not_be_fetched_are_a_fault_of_the_source(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")  # the port that throws everything away: nobody listens
    spec = application(name="MobileNet", weights="imagenet", kwargs={"include_top": False})
    with Pool() as pool, pytest.raises(SourceError, match="ImageNet weights of MobileNet can't be fetched") as caught:
        pool.run(LOAD, LoadRequest(model=spec), tmp_path / "load")
    assert "source.weights: PATH" in caught.value.fix
