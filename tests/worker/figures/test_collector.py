from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from hypothesis import given
from hypothesis import strategies as st

from recipekit.contracts.figures import OutputFigures
from recipekit.worker.figures.collector import MOST_OUTPUTS, FigureCollector
from recipekit.worker.samples import NamedSample

Array = npt.NDArray[Any]


def collected(expected: Any, converted: Any, label: Any = None, image: Array | None = None) -> OutputFigures:
    """The figures of one output; `expected` is an array, or a list of arrays of several shapes."""
    collector = FigureCollector({"y": expected}, {})
    for index, values in enumerate(converted):
        tensors = {"x": np.full(4, index, np.float32) if image is None else image}
        collector.add(NamedSample(index, f"sample-{index}", tensors, label), {"y": values})
    (figures,) = collector.result()
    return figures


def outputs(samples: int, values: int, seed: int = 0) -> tuple[Array, Array]:
    drawn = np.random.default_rng(seed)
    expected = drawn.normal(0, 1, (samples, values)).astype(np.float32)
    return expected, (expected + drawn.normal(0, 0.1, expected.shape)).astype(np.float32)


@given(st.integers(1, 700), st.integers(1, 5), st.integers(0, 9))
def test_points_are_pairs_of_both_outputs_and_the_last_one_differs_most(samples: int, values: int, seed: int) -> None:
    expected, converted = outputs(samples, values, seed)
    figures = collected(expected, converted)
    pairs = set(zip(expected.ravel().tolist(), converted.ravel().tolist(), strict=True))
    assert set(figures.points) <= pairs
    assert min(samples * values, 100) < len(figures.points) <= 301
    largest = np.abs(converted.astype(np.float64) - expected).max()
    assert abs(figures.points[-1][1] - figures.points[-1][0]) == largest
    assert figures.values == samples * values
    assert figures.histogram is not None
    assert sum(figures.histogram.counts) == samples * values


@given(st.integers(1, 600), st.integers(0, 9))
def test_the_worst_samples_are_the_first_of_all_by_their_distance(samples: int, seed: int) -> None:
    expected, converted = outputs(samples, 3, seed)
    figures = collected(expected, converted)
    distances = np.linalg.norm(converted.astype(np.float64) - expected, axis=1)
    order = sorted(range(samples), key=lambda at: (-distances[at], at))[:6]
    assert [worst.index for worst in figures.worst] == order
    first = figures.worst[0]
    place, float_value, converted_value = first.differences[0]
    assert (float_value, converted_value) == (expected[order[0], place], converted[order[0], place])
    assert place == np.abs(converted[order[0]].astype(np.float64) - expected[order[0]]).argmax()
    assert first.highest == (expected[order[0]].argmax(), converted[order[0]].argmax())


def test_equal_outputs_have_no_worst_sample() -> None:
    expected, _ = outputs(20, 3)
    figures = collected(expected, expected)
    assert figures.worst == ()
    assert figures.histogram is not None
    assert figures.histogram.limit == 0


def test_outputs_of_several_shapes_have_errors_but_no_points() -> None:
    expected = [np.ones(2), np.ones((3, 2)), np.zeros(0)]
    figures = collected(expected, [np.zeros(2), np.ones((3, 2)), np.zeros(0)])
    assert (figures.values, figures.points, figures.failure) == (8, (), "")
    assert [worst.id for worst in figures.worst] == ["sample-0"]


def test_whole_numbers_and_truth_values_are_numbers() -> None:
    figures = collected(np.array([[1, 2], [3, 4]]), np.array([[1, 2], [3, 6]]))
    assert [worst.index for worst in figures.worst] == [1]
    assert collected(np.array([[True], [False]]), np.array([[True], [True]])).points[-1] == (0.0, 1.0)


def test_one_sample_with_one_value_is_enough() -> None:
    figures = collected(np.ones((1, 1)), np.zeros((1, 1)))
    assert figures.points == ((1.0, 0.0), (1.0, 0.0))
    assert figures.worst[0].highest is None


def test_outputs_that_cannot_be_drawn_say_why() -> None:
    not_finite = collected(np.ones((2, 1)), np.array([[1.0], [np.nan]]))
    assert (not_finite.failure, not_finite.points) == ("ValueError: a value is not finite", ())
    assert "could not convert" in collected(np.array([["a"]]), np.array([["b"]])).failure


def test_images_are_shown_and_other_inputs_described() -> None:
    pictured = collected(np.ones((1, 1)), np.zeros((1, 1)), image=np.zeros((8, 8, 3), np.float32), label=b"zero")
    assert pictured.worst[0].inputs[0].picture
    assert pictured.worst[0].label == "zero"
    described = collected(np.ones((1, 1)), np.zeros((1, 1)), label=[1, 2]).worst[0]
    assert (described.label, described.inputs[0].picture) == ("", "")
    assert (described.inputs[0].shape, described.inputs[0].lowest) == ((4,), 0.0)


def test_outputs_beyond_the_first_few_are_counted() -> None:
    expected = {f"y{number}": np.ones((1, 1)) for number in range(MOST_OUTPUTS + 2)}
    collector = FigureCollector(expected, {})
    collector.add(NamedSample(0, "a", {}, None), expected)
    assert (len(collector.result()), collector.omitted) == (MOST_OUTPUTS, 2)
