"""The dataset `random`: numbers decided by seed and index."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from recipekit.contracts import DatasetContext
from recipekit.errors import DatasetError
from recipekit.worker.datasets.random import RandomDataset


def draw(seed: int = 0, index: int = 0, **params: Any) -> dict[str, np.ndarray[Any, Any]]:
    params = {"inputs": {"x": [4, 5], "y": [3]}, **params}
    tensors = RandomDataset(DatasetContext(Path(), seed), **params)[index].tensors
    assert isinstance(tensors, dict)
    return tensors


def test_a_sample_has_every_input_in_its_shape() -> None:
    assert {name: (array.shape, array.dtype.name) for name, array in draw().items()} == {
        "x": ((4, 5), "float32"),
        "y": ((3,), "float32"),
    }


def test_seed_and_index_decide_a_sample_and_nothing_else_does() -> None:
    first = draw(seed=1, index=2)["x"]
    np.testing.assert_array_equal(first, draw(seed=1, index=2, count=3, inputs={"y": [3], "x": [4, 5]})["x"])
    assert not np.array_equal(first, draw(seed=2, index=2)["x"])
    assert not np.array_equal(first, draw(seed=1, index=3)["x"])


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int8", "int64", "uint8"])
def test_values_fill_the_range(dtype: str) -> None:
    values = draw(inputs={"x": [2000]}, dtype=dtype, low=3, high=7)["x"]
    assert values.dtype == dtype
    assert 3 <= values.min() <= 3.1
    assert 6.9 <= values.max() <= 7


def test_truth_values_are_of_both_kinds() -> None:
    assert set(draw(inputs={"x": [100]}, dtype="bool")["x"].tolist()) == {False, True}


def test_a_scalar_input_gets_a_scalar() -> None:
    assert draw(inputs={"x": []})["x"].shape == ()


def test_count_is_the_length() -> None:
    assert len(RandomDataset(DatasetContext(Path(), 0), inputs={"x": [1]})) == 100
    assert len(RandomDataset(DatasetContext(Path(), 0), inputs={"x": [1]}, count=7)) == 7


@pytest.mark.parametrize(
    "params",
    [
        {"dtype": "flot32"},
        {"low": 1, "high": 1},
        {"low": 2, "high": 1},
        {"dtype": "uint8", "low": -1},
        {"dtype": "int8", "high": 128},
        {"high": float("nan")},
        {"high": float("inf")},
    ],
)
def test_a_range_that_does_not_fit_is_refused(params: dict[str, Any]) -> None:
    with pytest.raises(DatasetError):
        draw(**params)
