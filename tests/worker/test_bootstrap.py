from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest

from recipekit.worker import bootstrap

FLOAT, CONVERTED = np.random.default_rng(0).normal([[0.0], [0.5]], 1, (2, 400))
Weights = npt.NDArray[np.float64]


def means(weights: Weights) -> tuple[float, float]:
    return float(np.average(FLOAT, weights=weights)), float(np.average(CONVERTED, weights=weights))


def test_a_drop_is_a_loss_of_quality() -> None:
    higher = bootstrap.paired(means, True, 400, 10, seed=0)
    lower = bootstrap.paired(means, False, 400, 10, seed=0)
    assert [value for value, _ in higher] == [value for value, _ in lower]
    assert [drop for _, drop in higher] == [-drop for _, drop in lower]


def test_both_models_see_the_same_resample() -> None:
    pairs = bootstrap.paired(lambda weights: (means(weights)[0],) * 2, True, 400, 20, seed=0)
    assert {drop for _, drop in pairs} == {0.0}
    assert len({value for value, _ in pairs}) == 20


def test_the_seed_decides_the_replicates() -> None:
    assert bootstrap.paired(means, True, 400, 5, seed=1) == bootstrap.paired(means, True, 400, 5, seed=1)
    assert bootstrap.paired(means, True, 400, 5, seed=1) != bootstrap.paired(means, True, 400, 5, seed=2)


def test_weights_are_counts_of_a_resample() -> None:
    seen: list[Weights] = []

    def record(weights: Weights) -> tuple[float, float]:
        seen.append(weights)
        return 0.0, 0.0

    bootstrap.paired(record, True, 7, 30, seed=0)
    for weights in seen:
        assert weights.shape == (7,)
        assert weights.sum() == 7
        assert np.array_equal(weights, weights.astype(int))


def test_the_spread_is_the_standard_error_of_the_mean() -> None:
    values = [value for value, _ in bootstrap.paired(means, True, 400, 2000, seed=0)]
    assert np.mean(values) == pytest.approx(CONVERTED.mean(), abs=0.01)
    assert np.std(values) == pytest.approx(CONVERTED.std() / math.sqrt(400), rel=0.1)


def test_a_resample_without_a_value_is_left_out() -> None:
    answers = iter([(1.0, 1.0), (math.nan, 1.0), (2.0, 1.0)])
    assert bootstrap.paired(lambda _: next(answers), True, 3, 3, seed=0) == ((1.0, 0.0), (1.0, 1.0))
