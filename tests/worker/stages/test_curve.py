"""How ranges settle: the curve through snapshots, and over a model on real samples."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recipekit.contracts import Curve, CurveRequest
from recipekit.errors import DatasetError, EvaluationError
from recipekit.worker.engines import ai_edge_ranges
from recipekit.worker.stages import curve
from tests.models.built_flatbuffers import Graph, classifier
from tests.worker.engines.quantizer_runs import Quantizer, converter
from tests.worker.float_sources import dataset


def curve_of(quantizer: Quantizer, samples: dict[str, npt.NDArray[Any]], folder: Path) -> Curve:
    request = CurveRequest(
        loaded=quantizer.loaded, float32=str(quantizer.path), dataset=dataset(folder / "curve.npz", samples)
    )
    return curve.run(request, folder)


def test_counts_are_those_of_a_logarithmic_axis() -> None:
    assert list(itertools.islice(curve.counts(), 8)) == [1, 2, 5, 10, 20, 50, 100, 200]


@given(
    values=st.lists(st.lists(st.floats(-1e3, 1e3), min_size=3, max_size=3), min_size=1, max_size=30).map(np.array),
)
def test_what_is_missing_falls_from_at_most_all_to_nothing(values: npt.NDArray[np.float64]) -> None:
    rows = range(1, len(values) + 1)
    snapshots = {row: np.stack([values[:row].min(axis=0), values[:row].max(axis=0)], axis=1) for row in rows}
    points = curve.points(snapshots)
    assert [point.samples for point in points] == list(rows)
    for shares in ([point.median for point in points], [point.p90 for point in points]):
        assert all(before >= after for before, after in itertools.pairwise(shares))
        assert 0 <= shares[-1] <= shares[0] <= 1
        assert shares[-1] == 0
    assert all(point.median <= point.p90 for point in points)


@pytest.mark.parametrize(
    ("count", "expected"), [(1, [1]), (2, [1, 2]), (12, [1, 2, 5, 10, 12]), (20, [1, 2, 5, 10, 20])]
)
def test_the_last_point_is_that_of_all_samples(tmp_path: Path, count: int, expected: list[int]) -> None:
    quantizer = Quantizer(tmp_path, classifier(), samples=count)
    measured = curve_of(quantizer, quantizer.samples, tmp_path)
    assert [point.samples for point in measured.points] == expected
    assert measured.points[-1].p90 == 0
    assert measured.samples.count == count
    ranges = ai_edge_ranges.load(Path(quantizer.calibration(converter("int8")).path).read_bytes())
    assert measured.tensors == len(ranges)


def test_a_sample_that_holds_all_extremes_settles_the_ranges_at_once(tmp_path: Path) -> None:
    quantizer = Quantizer(tmp_path, classifier(), samples=10)
    same = {name: np.repeat(array[:1], 10, axis=0) for name, array in quantizer.samples.items()}
    assert {point.p90 for point in curve_of(quantizer, same, tmp_path).points} == {0.0}


def test_a_sample_that_overflows_inside_is_named_with_the_tensor(tmp_path: Path) -> None:
    def logarithm(graph: Graph, source: int) -> int:
        return graph.add("LOG", "zero's logarithm", [source], (1, 32))

    quantizer = Quantizer(tmp_path, classifier())
    quantizer.path.write_bytes(classifier(between=logarithm))
    (name,) = quantizer.samples
    with pytest.raises(DatasetError, match=r"the tensor 'zero's logarithm' .* \[overflow-inside\]") as caught:
        curve_of(quantizer, {name: np.abs(quantizer.samples[name])}, tmp_path)
    assert caught.value.where == "sample 0 ('0')"


def test_a_model_that_cannot_be_run_has_no_curve(tmp_path: Path) -> None:
    quantizer = Quantizer(tmp_path, classifier())
    quantizer.path.write_bytes(b"no flatbuffer")
    with pytest.raises(EvaluationError, match="can't run the float32 conversion"):
        curve_of(quantizer, quantizer.samples, tmp_path)
