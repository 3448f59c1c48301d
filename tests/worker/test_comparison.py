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
