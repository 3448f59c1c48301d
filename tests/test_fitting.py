"""Which tensors a model takes, and what is said of those that it doesn't."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from recipekit.fitting import UNNAMED, Misfit, misfits, sole_input
from tests.readings import inputs

LENGTHS = st.integers(1, 40)
SHAPES = st.lists(LENGTHS, max_size=4).map(tuple)
IMAGE = inputs(image=("float32", (None, 48, 32, 3)))


def only(got: tuple[int, ...], expected: tuple[int | None, ...], dtype: str = "float32") -> Misfit:
    (fault,) = misfits({"x": (dtype, got)}, inputs(x=("float32", (None, *expected))))
    return fault


@given(shape=SHAPES, unknown=st.sets(st.integers(0, 3)))
def test_a_sample_of_the_models_own_shape_fits_whatever_dimensions_are_dynamic(
    shape: tuple[int, ...], unknown: set[int]
) -> None:
    expected = tuple(None if axis in unknown else length for axis, length in enumerate(shape))
    assert misfits({"x": ("float32", shape)}, inputs(x=("float32", (1, *expected)))) == []
    assert misfits({UNNAMED: ("float32", shape)}, inputs(x=("float32", (1, *expected)))) == []


@given(got=SHAPES, expected=SHAPES)
def test_another_shape_never_fits_and_the_message_tells_both(got: tuple[int, ...], expected: tuple[int, ...]) -> None:
    assume(got != expected)
    fault = only(got, expected)
    assert f"got ({', '.join(map(str, got))})" in fault.what
    assert fault.finding in {"batch-dimension", "channel-axis", "channel-order", "input-shape"}
    assert fault.fix


@given(shape=st.lists(LENGTHS, min_size=1, max_size=3).map(tuple))
def test_a_batch_dimension_of_one_is_told_with_the_step_that_takes_it_away(shape: tuple[int, ...]) -> None:
    fault = only((1, *shape), shape)
    assert fault.finding == "batch-dimension"
    assert f"{{reshape: {list(shape)}}}" in fault.fix


@given(height=st.integers(5, 40), width=st.integers(5, 40), channels=st.sampled_from([1, 3, 4]))
def test_swapped_channels_are_told_with_the_transposition_that_mends_them(
    height: int, width: int, channels: int
) -> None:
    first, last = (channels, height, width), (height, width, channels)
    for got, expected, axes in ((first, last, [1, 2, 0]), (last, first, [2, 0, 1])):
        fault = only(got, expected)
        assert fault.finding == "channel-order"
        assert f"{{transpose: {axes}}}" in fault.fix
        assert np.zeros(got).transpose(axes).shape == expected


@pytest.mark.parametrize(
    ("got", "expected", "finding", "fix"),
    [
        ((28, 28), (28, 28, 1), "channel-axis", "{reshape: [28, 28, 1]}"),
        ((28, 28), (1, 28, 28), "channel-axis", "{reshape: [1, 28, 28]}"),
        ((28, 28, 1), (28, 28), "channel-axis", "{reshape: [28, 28]}"),
        ((48, 32, 1), (48, 32, 3), "input-shape", "{channels: 3}"),
        ((64, 64, 3), (48, 32, 3), "input-shape", "{resize: [48, 32]}"),
        ((784,), (28, 28, 1), "input-shape", "{reshape: [28, 28, 1]}"),
        ((7,), (28, None, 1), "input-shape", "with `preprocess`"),
        ((8, 3), (3,), "batch-dimension", "one sample at a time"),
    ],
)
def test_a_wrong_shape_is_told_with_its_cure(
    got: tuple[int, ...], expected: tuple[int | None, ...], finding: str, fix: str
) -> None:
    fault = only(got, expected)
    assert fault.finding == finding
    assert fix in fault.fix


@st.composite
def regrouped(draw: st.DrawFn) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Two shapes of as many values, not both of an image, which may be transposed instead."""
    factors = draw(st.lists(st.integers(1, 7), min_size=2, max_size=5))

    def shape() -> tuple[int, ...]:
        cuts = sorted(draw(st.sets(st.integers(1, len(factors) - 1))))
        parts = zip([0, *cuts], [*cuts, len(factors)], strict=True)
        return tuple(math.prod(factors[start:end]) for start, end in parts)

    got, expected = shape(), shape()
    assume(got != expected and {len(got), len(expected)} != {3})
    return got, expected


@given(regrouped())
def test_where_only_the_grouping_differs_the_proposed_reshape_gives_the_expected_shape(
    shapes: tuple[tuple[int, ...], tuple[int, ...]],
) -> None:
    got, expected = shapes
    assert f"{{reshape: {list(expected)}}}" in only(got, expected).fix


@pytest.mark.parametrize(("dtype", "scaled"), [("uint8", True), ("float64", False), ("int64", False)])
def test_a_wrong_element_type_is_told_with_its_cast_and_pixels_with_their_scale(dtype: str, scaled: bool) -> None:
    fault = only((4,), (4,), dtype)
    assert fault.what == f"the input 'x' has a wrong element type: expected float32, got {dtype}"
    assert fault.finding == "input-dtype"
    assert "{cast: float32}" in fault.fix
    assert ("rescale" in fault.fix) == scaled


def test_every_fault_of_a_sample_is_told() -> None:
    faults = misfits({"imag": ("uint8", (3, 48, 32)), "image": ("uint8", (3, 48, 32))}, IMAGE)
    assert [fault.finding for fault in faults] == ["input-names", "channel-order", "input-dtype"]


def test_an_unnamed_array_belongs_to_the_only_input() -> None:
    assert sole_input({UNNAMED: 0}, IMAGE) == "image"
    assert sole_input({"image": 0}, IMAGE) is None
    two = inputs(a=("float32", (1, 3)), b=("float32", (1, 3)))
    (fault,) = misfits({UNNAMED: ("float32", (3,))}, two)
    assert (fault.finding, "2 inputs: a, b" in fault.what) == ("input-names", True)
