"""Running statistics of samples against NumPy over all of them at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recipekit.contracts import TensorStatistics
from recipekit.worker.sample_statistics import SampleStatistics
from tests.properties import at_most

Array = npt.NDArray[Any]


def statistics(samples: list[Array], folder: Path) -> TensorStatistics:
    running = SampleStatistics()
    for sample in samples:
        running.add({"x": sample})
    (record,) = running.record(folder)
    return record


def extremes(record: TensorStatistics) -> Array:
    return np.fromfile(record.extremes).reshape(-1, 2)


@settings(max_examples=at_most(60), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    sizes=st.lists(st.sampled_from([1, 2, 7, 255, 256, 257, 700, 3000]), min_size=1, max_size=30),
    dtype=st.sampled_from(["float16", "float32", "float64", "uint8", "int64"]),
    seed=st.integers(0, 99),
)
def test_extremes_are_those_of_every_value_whatever_shapes_follow_each_other(
    tmp_path: Path, sizes: list[int], dtype: str, seed: int
) -> None:
    draw = np.random.default_rng(seed)
    samples = [(draw.normal(60, 20, size)).clip(0, 200).astype(dtype) for size in sizes]
    record = statistics(samples, tmp_path)
    np.testing.assert_array_equal(extremes(record), [[sample.min(), sample.max()] for sample in samples])
    assert (record.lowest, record.highest) == (min(map(np.min, samples)), max(map(np.max, samples)))
    assert record.non_finite is None


@pytest.mark.parametrize("shape", [(8,), (256,), (16, 16, 1)])
@pytest.mark.parametrize("offset", [0.0, 1e6])
def test_mean_and_deviation_of_small_samples_are_those_of_all_values(
    tmp_path: Path, shape: tuple[int, ...], offset: float
) -> None:
    samples = list(np.random.default_rng(0).normal(offset, 3, (500, *shape)))
    record = statistics(samples, tmp_path)
    assert record.mean == pytest.approx(np.mean(samples), rel=1e-12, abs=1e-12)
    assert record.std == pytest.approx(np.std(samples), rel=1e-6)


@pytest.mark.parametrize("shape", [(30, 30, 3), (64, 64, 4), (1000,), (7, 256)])
def test_a_spread_of_large_samples_leaves_no_channel_out(tmp_path: Path, shape: tuple[int, ...]) -> None:
    scale = np.linspace(1, 9, shape[-1])
    samples = list(np.random.default_rng(0).normal(scale, 1, (200, *shape)).astype(np.float32))
    record = statistics(samples, tmp_path)
    assert record.mean == pytest.approx(np.mean(samples), rel=0.02)
    assert record.std == pytest.approx(np.std(samples), rel=0.02)


@pytest.mark.parametrize("size", [8, 5000])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite_are_counted_and_left_out(tmp_path: Path, size: int, value: float) -> None:
    samples = list(np.random.default_rng(0).normal(0, 1, (9, size, 2)))
    samples[4][3, 1] = samples[7][0, 0] = value
    record = statistics(samples, tmp_path)
    found = record.non_finite
    assert found is not None
    assert (found.count, found.index, found.position, found.value) == (2, 4, (3, 1), str(np.float64(value)))
    rest = [sample for index, sample in enumerate(samples) if index not in {4, 7}]
    assert (record.lowest, record.highest) == (np.min(rest), np.max(rest))
    assert np.flatnonzero(np.isnan(extremes(record)[:, 0])).tolist() == [4, 7]


def test_a_tensor_that_some_samples_lack_keeps_its_places(tmp_path: Path) -> None:
    running = SampleStatistics()
    for index in range(6):
        running.add({"x": np.full(3, index)} if index % 2 else {"y": np.zeros(0), "text": np.array(["a"])})
    (record,) = running.record(tmp_path)
    assert record.name == "x"
    np.testing.assert_array_equal(extremes(record)[:, 0], [np.nan, 1, np.nan, 3, np.nan, 5])


def test_a_buffer_that_a_dataset_uses_again_does_not_change_what_was_seen(tmp_path: Path) -> None:
    running, buffer = SampleStatistics(), np.zeros(4)
    for index in range(5):
        buffer[:] = index
        running.add({"x": buffer})
    (record,) = running.record(tmp_path)
    np.testing.assert_array_equal(extremes(record)[:, 1], range(5))


def test_numbers_too_large_to_be_squared_do_no_harm(tmp_path: Path) -> None:
    record = statistics([np.array([-1e308, 1e308]), np.array([1e308, 1e308])], tmp_path)
    assert (record.lowest, record.highest) == (-1e308, 1e308)
    assert 1e139 < record.std < 1e141


@pytest.mark.parametrize("count", [3, 700, 20_000])
@pytest.mark.parametrize("size", [1, 7, 8, 200])
def test_the_values_that_are_kept_are_evenly_drawn_of_all(tmp_path: Path, count: int, size: int) -> None:
    samples = list(np.arange(count * size, dtype=np.float64).reshape(count, size))
    kept = np.fromfile(statistics(samples, tmp_path).values)
    assert min(4096, count * size) <= kept.size <= 8192
    steps = np.diff(kept)
    assert (steps == steps[0]).all()
    assert kept[0] == 0
    assert kept[-1] + steps[0] >= count * size
