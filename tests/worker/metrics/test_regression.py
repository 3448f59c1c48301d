from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error

from recipekit.errors import DatasetError
from recipekit.worker.metrics.regression import R2, MeanAbsoluteError, RootMeanSquaredError

METRICS = pytest.mark.parametrize(
    ("metric", "oracle"),
    [(MeanAbsoluteError, mean_absolute_error), (RootMeanSquaredError, root_mean_squared_error), (R2, r2_score)],
)


@METRICS
@given(seed=st.integers(0, 2**32 - 1), shape=st.tuples(st.integers(2, 20), st.integers(1, 4)), weighted=st.booleans())
def test_they_are_scikit_learns(
    metric: Callable[..., Any], oracle: Callable[..., float], seed: int, shape: tuple[int, int], weighted: bool
) -> None:
    rng = np.random.default_rng(seed)
    labels, predictions = rng.normal(0, 1, (2, *shape))
    weights = rng.integers(1, 4, len(labels)).astype(np.float64) if weighted else None
    got = metric().score(labels, {"y": predictions}, weights)
    assert got == pytest.approx(oracle(labels, predictions, sample_weight=weights))


@METRICS
def test_a_number_a_sample_fits_an_output_of_one_value(
    metric: Callable[..., Any], oracle: Callable[..., float]
) -> None:
    labels, predictions = np.array([1, 2, 4]), np.array([1.5, 2.0, 3.0], np.float32)
    expected = pytest.approx(oracle(labels, predictions))
    assert metric().score(labels, {"y": predictions[:, np.newaxis]}, None) == expected
    assert metric().score(labels, {"y": predictions}, None) == expected


@pytest.mark.parametrize(("prediction", "expected"), [(3.0, 1.0), (4.0, 0.0)])
def test_r2_of_labels_that_do_not_vary_is_scikit_learns(prediction: float, expected: float) -> None:
    labels, predictions = np.full(4, 3.0), np.full((4, 1), prediction)
    assert R2().score(labels, {"y": predictions}, None) == expected == r2_score(labels, predictions)


def test_r2_of_one_sample_is_refused() -> None:
    with pytest.raises(DatasetError, match="at least 2 samples, got 1"):
        R2().score(np.array([1.0]), {"y": np.array([[1.0]])}, None)


@pytest.mark.parametrize(
    ("labels", "said"), [(np.ones((2, 3)), "labels of shape"), (np.array(["a", "b"]), "are not numbers")]
)
def test_labels_that_are_not_like_the_output_are_refused(labels: npt.NDArray[Any], said: str) -> None:
    with pytest.raises(DatasetError, match=said):
        MeanAbsoluteError().score(labels, {"y": np.ones((2, 1))}, None)


def test_errors_are_better_when_lower_and_r2_when_higher() -> None:
    assert [metric.higher_is_better for metric in (MeanAbsoluteError, RootMeanSquaredError, R2)] == [False, False, True]
