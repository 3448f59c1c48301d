from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from recipekit.contracts import Reference, SampleSet, TensorLog
from recipekit.errors import DatasetError, EvaluationError
from recipekit.worker.comparison import Comparison
from recipekit.worker.parity import ParityAccumulator


def reference(folder: Path, **outputs: npt.NDArray[Any]) -> Reference:
    logs = {}
    for name, array in outputs.items():
        array.tofile(folder / name)
        logs[name] = TensorLog(path=str(folder / name), dtype=array.dtype.name, shape=array.shape[1:])
    count = len(next(iter(outputs.values())))
    return Reference(outputs=logs, samples=SampleSet(path="", sha256="", count=count, labelled=False))


@pytest.mark.parametrize("samples", [1, 255, 256, 257, 600])
def test_samples_are_compared_with_those_of_the_same_place_and_name(tmp_path: Path, samples: int) -> None:
    draw = np.random.default_rng(samples)
    expected: dict[str, npt.NDArray[Any]] = {
        "a": draw.normal(0, 1, (samples, 3)).astype(np.float32),
        "b": draw.integers(0, 9, (samples, 3)),
    }
    converted = {name: array + draw.integers(0, 2, array.shape) for name, array in expected.items()}
    comparison = Comparison(reference(tmp_path, **expected), keep=True)
    for index in range(samples):
        comparison.add({"b": converted["b"][index], "a": converted["a"][index]})
    parity = comparison.parity()
    for name, array in expected.items():
        whole = ParityAccumulator(name)
        whole.add(array, converted[name])
        assert parity[name].agreeing == whole.result().agreeing
        assert parity[name].l2 == pytest.approx(whole.result().l2)
        np.testing.assert_array_equal(comparison.reference[name], array)
        np.testing.assert_array_equal(comparison.converted()[name], converted[name])


def varying(folder: Path, arrays: list[npt.NDArray[Any]]) -> Reference:
    """A reference with one output, `y`, whose samples differ in shape."""
    np.concatenate([array.ravel() for array in arrays]).tofile(folder / "y")
    np.save(folder / "y.npy", np.array([array.shape for array in arrays]))
    log = TensorLog(path=str(folder / "y"), dtype="float32", shape=arrays[0].shape, shapes=str(folder / "y.npy"))
    return Reference(outputs={"y": log}, samples=SampleSet(path="", sha256="", count=len(arrays), labelled=False))


def test_samples_of_several_shapes_are_compared_like_one_long_row(tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    expected = [draw.normal(size=(side, side, 2)).astype(np.float32) for side in (4, 1, 6, 0, 3)]
    converted = [array + np.float32(0.25) for array in expected]
    comparison = Comparison(varying(tmp_path, expected), keep=False)
    for array in converted:
        comparison.add({"y": array})
    parity = comparison.parity()["y"]
    whole = ParityAccumulator("y")
    whole.add(*(np.concatenate([array.ravel() for array in arrays])[np.newaxis] for arrays in (expected, converted)))
    assert parity.sqnr_db == pytest.approx(whole.result().sqnr_db)
    assert parity.max_abs_error == pytest.approx(0.25)
    assert parity.rows == 16 + 1 + 36 + 9


def test_a_sample_of_another_shape_than_its_own_is_refused(tmp_path: Path) -> None:
    comparison = Comparison(varying(tmp_path, [np.ones((2, 2), np.float32), np.ones((3, 3), np.float32)]), keep=False)
    comparison.add({"y": np.ones((2, 2))})
    with pytest.raises(EvaluationError, match=r"shape \(2, 2\) for sample 1, the float model \(3, 3\)"):
        comparison.add({"y": np.ones((2, 2))})


def test_a_task_metric_wants_one_shape(tmp_path: Path) -> None:
    with pytest.raises(EvaluationError, match="differs in shape from sample to sample") as caught:
        Comparison(varying(tmp_path, [np.ones((2, 2), np.float32), np.ones((3, 3), np.float32)]), keep=True)
    assert "preprocess" in caught.value.fix


def test_large_outputs_are_compared_one_by_one(tmp_path: Path) -> None:
    large = np.ones((3, 200_000), np.float32)
    comparison = Comparison(reference(tmp_path, y=large), keep=False)
    with pytest.raises(EvaluationError, match="for sample 0"):
        comparison.add({"y": large[0] * np.nan})


def test_a_sample_too_many_is_refused(tmp_path: Path) -> None:
    comparison = Comparison(reference(tmp_path, y=np.ones((2, 3))), keep=False)
    comparison.add({"y": np.ones(3)})
    comparison.add({"y": np.ones(3)})
    with pytest.raises(DatasetError, match="gave more than 2 samples to the converted model, and 2 to the float"):
        comparison.add({"y": np.ones(3)})


def test_a_sample_too_few_is_refused(tmp_path: Path) -> None:
    comparison = Comparison(reference(tmp_path, y=np.ones((2, 3))), keep=False)
    comparison.add({"y": np.ones(3)})
    with pytest.raises(DatasetError, match="gave 1 samples to the converted model, and 2 to the float"):
        comparison.parity()


def test_another_shape_is_refused_by_sample_and_output(tmp_path: Path) -> None:
    comparison = Comparison(reference(tmp_path, y=np.ones((2, 3))), keep=False)
    comparison.add({"y": np.ones(3)})
    with pytest.raises(EvaluationError, match=r"output 'y': the converted model gives shape \(4,\) for sample 1"):
        comparison.add({"y": np.ones(4)})


def test_an_output_without_values_is_refused(tmp_path: Path) -> None:
    comparison = Comparison(reference(tmp_path, y=np.ones((1, 0))), keep=False)
    comparison.add({"y": np.ones(0)})
    with pytest.raises(EvaluationError, match="no values"):
        comparison.parity()
