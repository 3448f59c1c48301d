"""Ranges: what is collected, that the fast mode gives the same as the slow one, and what is refused."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pytest
from ai_edge_litert import schema_py_generated as schema
from ai_edge_quantizer import recipe
from ai_edge_quantizer.calibrator import CalibrationMode, Calibrator
from ai_edge_quantizer.recipe_manager import RecipeManager
from ai_edge_quantizer.utils import qsv_utils

from recipekit.contracts import CalibrateRequest, CalibrationSpec, DatasetSpec, LoadedModel, Signature, TensorSpec
from recipekit.errors import ConversionError
from recipekit.worker.engines import ai_edge_ranges
from recipekit.worker.engines.ai_edge_quantizer import AIEdgeQuantizerEngine
from recipekit.worker.engines.ai_edge_ranges import Ranges
from recipekit.worker.samples import NamedSample
from tests.models.built_flatbuffers import Graph, classifier, convolutional, reshaped
from tests.worker.engines.quantizer_runs import Quantizer, converter

Slow = Callable[[Any, Any], Any]
NO_DATASET = DatasetSpec(
    plugin="", params={}, samples=None, shuffle=False, seed=0, preprocess=(), modules=(), project_root=""
)


def collected(quantizer: Quantizer, **changes: Any) -> Ranges:
    return ai_edge_ranges.load(Path(quantizer.calibration(converter("int8", **changes)).path).read_bytes())


def by_copying_tensors(quantizer: Quantizer, update: Slow) -> dict[str, dict[str, Any]]:
    """The ranges by the quantizer's mode that looks at copies of all tensors."""
    manager = RecipeManager()
    manager.load_quantization_recipe(recipe.static_wi8_ai8())
    with pytest.warns(UserWarning, match="experimental_preserve_all_tensors"):
        calibrator = Calibrator(
            str(quantizer.path), 1, CalibrationMode.CALIBRATION_PRESERVE_ALL_TENSORS, qsv_update_func=update
        )
    count = len(next(iter(quantizer.samples.values())))
    samples = [{name: array[[row]] for name, array in quantizer.samples.items()} for row in range(count)]
    calibrator.calibrate({quantizer.loaded.signature_key: samples}, manager)
    seen: dict[str, dict[str, Any]] = calibrator.get_model_qsvs()
    return seen


@pytest.mark.parametrize("flatbuffer", [classifier(), classifier(between=reshaped), convolutional()])
@pytest.mark.parametrize(
    ("rule", "update"),
    [("min_max", qsv_utils.min_max_update), ("moving_average", qsv_utils.moving_average_update)],
)
def test_ranges_equal_those_of_the_mode_that_copies_tensors(
    tmp_path: Path, flatbuffer: bytes, rule: str, update: Slow
) -> None:
    quantizer = Quantizer(tmp_path, flatbuffer, samples=20)
    fast = collected(quantizer, ranges=rule)
    slow = by_copying_tensors(quantizer, update)
    # That mode looks at integers as well, which no scheme quantizes.
    assert {name for name, seen in slow.items() if np.asarray(seen["min"]).size and name != "size"} == fast.keys()
    for name, seen in fast.items():
        assert seen["min"].item() == np.asarray(slow[name]["min"]).item()
        assert seen["max"].item() == np.asarray(slow[name]["max"]).item()


def test_min_max_is_the_smallest_and_largest_value_of_all_samples(tmp_path: Path) -> None:
    quantizer = Quantizer(tmp_path, classifier())
    seen = collected(quantizer)["x"]
    assert seen["min"] == quantizer.samples["x"].min()
    assert seen["max"] == quantizer.samples["x"].max()
    averaged = collected(quantizer, ranges="moving_average")["x"]
    assert seen["min"] < averaged["min"]
    assert averaged["max"] < seen["max"]


@pytest.mark.parametrize(("algorithm", "statistic", "shape"), [("gptq", "hessian", (64, 64)), ("oscar", "mu2", (64,))])
def test_an_algorithm_with_statistics_gets_them_beside_the_same_ranges(
    tmp_path: Path, algorithm: str, statistic: str, shape: tuple[int, ...]
) -> None:
    quantizer = Quantizer(tmp_path, classifier())
    seen = collected(quantizer, algorithm=algorithm)
    assert seen["x"][statistic].shape == shape
    assert seen["x"]["num_samples"] == 8
    assert {name: values["min"].item() for name, values in seen.items()} == {
        name: values["min"].item() for name, values in collected(quantizer).items()
    }


def test_samples_are_read_once_and_one_at_a_time(tmp_path: Path) -> None:
    quantizer = Quantizer(tmp_path, classifier())
    alive: list[weakref.ref[npt.NDArray[Any]]] = []
    most = 0

    def stream() -> Iterator[NamedSample]:
        nonlocal most
        for index in range(50):
            array = np.full(64, index, np.float32)
            alive.append(weakref.ref(array))
            most = max(most, sum(reference() is not None for reference in alive))
            yield NamedSample(index, str(index), {"x": array}, None)

    AIEdgeQuantizerEngine().calibrate(request(quantizer.path, quantizer.loaded), stream())
    assert len(alive) == 50
    assert most <= 3


def test_a_tensor_that_is_not_finite_is_named(tmp_path: Path) -> None:
    def logarithm(graph: Graph, source: int) -> int:
        return graph.add("LOG", "log of zero", [source], (1, 32))

    with pytest.raises(ConversionError, match="'log of zero' is not finite"):
        collected(Quantizer(tmp_path, classifier(between=logarithm)))


def test_a_fixed_batch_is_refused(tmp_path: Path) -> None:
    quantizer = Quantizer(tmp_path, classifier())
    signature = Signature(inputs=(TensorSpec(name="x", shape=(2, 64), dtype="float32"),), outputs=())
    loaded = msgspec.structs.replace(quantizer.loaded, signatures={"serving_default": signature})
    with pytest.raises(ConversionError, match="'x' has a fixed batch of 2"):
        AIEdgeQuantizerEngine().calibrate(request(quantizer.path, loaded), [])


def test_a_model_that_cannot_be_run_is_a_conversion_error(tmp_path: Path) -> None:
    def unfit(graph: Graph, source: int) -> int:
        other = graph.constant("other", np.zeros((3, 3), np.float32))
        return graph.add("ADD", "sum", [source, other], (1, 32), schema.AddOptionsT())

    quantizer = Quantizer(tmp_path, classifier())
    broken = tmp_path / "broken.tflite"
    broken.write_bytes(classifier(between=unfit))
    with pytest.raises(ConversionError, match="can't calibrate the model"):
        AIEdgeQuantizerEngine().calibrate(request(broken, quantizer.loaded), [])


def request(path: Path, loaded: LoadedModel) -> CalibrateRequest:
    """A request whose samples are given by hand."""
    calibration = CalibrationSpec(engine="ai_edge_quantizer", ranges="min_max")
    return CalibrateRequest(loaded=loaded, float32=str(path), calibration=calibration, dataset=NO_DATASET)
