from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from recipekit.contracts import EXACT_SQNR_DB, Parity
from recipekit.errors import EvaluationError
from recipekit.worker.parity import ParityAccumulator

Array = npt.NDArray[Any]

SHAPES = arrays.array_shapes(min_dims=1, max_dims=4, max_side=6)
DTYPES = st.sampled_from([np.float32, np.float64, np.int8, np.int32, np.bool_])


@st.composite
def pairs(draw: st.DrawFn) -> tuple[Array, Array]:
    shape, dtype = draw(SHAPES), draw(DTYPES)
    elements: dict[str, Any] = {}
    if np.issubdtype(dtype, np.floating):
        elements = {"min_value": -1e4, "max_value": 1e4}
    one, other = (
        draw(arrays.arrays(dtype, shape, elements=arrays.from_dtype(np.dtype(dtype), **elements))) for _ in range(2)
    )
    return one, other


def parity(reference: Array, converted: Array, block: int = 1) -> Parity:
    accumulator = ParityAccumulator("y")
    for start in range(0, len(reference), block):
        accumulator.add(reference[start : start + block], converted[start : start + block])
    return accumulator.result()


def at_once(reference: Array, converted: Array) -> dict[str, Any]:
    """The definitions of `contracts.Parity`, word for word."""
    samples = len(reference)
    signal, values = (array.reshape(samples, -1).astype(np.float64) for array in (reference, converted))
    error = values - signal
    cosines = []
    for one, other in zip(signal, values, strict=True):
        largest = [float(np.max(np.abs(vector), initial=0)) for vector in (one, other)]
        if 0.0 in largest:
            cosines.append(float(largest == [0.0, 0.0]))
        else:  # squares of the smallest numbers lose their digits, so that lengths are taken of scaled vectors
            units = [vector / scale for vector, scale in zip((one, other), largest, strict=True)]
            cosines.append(float(np.dot(*(unit / np.linalg.norm(unit) for unit in units))))
    agreement = None
    if reference.ndim >= 2 and reference.shape[-1] >= 2:
        agreement = np.mean(np.argmax(reference, -1) == np.argmax(converted, -1))
    power, noise = float(np.sum(signal**2)), float(np.sum(error**2))
    ratio = math.inf if noise == 0 else -math.inf if power == 0 else 10 * math.log10(power / noise)
    return {
        "max_abs_error": np.max(np.abs(error)),
        "mean_abs_error": np.mean(np.abs(error)),
        "rmse": np.sqrt(np.mean(error**2)),
        "l2": np.mean(np.linalg.norm(error, axis=1)),
        "cosine_similarity": np.mean(cosines),
        "sqnr_db": np.clip(ratio, -EXACT_SQNR_DB, EXACT_SQNR_DB),
        "argmax_agreement": agreement,
    }


@given(pair=pairs(), block=st.integers(1, 4))
def test_streamed_parity_is_that_of_all_samples_at_once(pair: tuple[Array, Array], block: int) -> None:
    streamed, expected = parity(*pair, block), at_once(*pair)
    for name, value in expected.items():
        assert getattr(streamed, name) == (None if value is None else pytest.approx(value, rel=1e-9, abs=1e-12)), name


@given(pair=pairs())
def test_equal_outputs_have_no_error(pair: tuple[Array, Array]) -> None:
    same = parity(pair[0], pair[0].copy())
    assert (same.max_abs_error, same.mean_abs_error, same.rmse, same.l2) == (0, 0, 0, 0)
    assert same.cosine_similarity == 1
    assert same.sqnr_db == EXACT_SQNR_DB
    assert same.argmax_agreement in (1, None)
    assert same.agreeing == same.rows


@given(pair=pairs())
def test_every_number_is_finite_and_within_its_range(pair: tuple[Array, Array]) -> None:
    result = parity(*pair)
    assert 0 <= result.mean_abs_error <= result.max_abs_error * (1 + 1e-12)
    assert -1 <= result.cosine_similarity <= 1
    assert -EXACT_SQNR_DB <= result.sqnr_db <= EXACT_SQNR_DB


def test_the_integers_of_an_unsigned_dtype_do_not_wrap_around() -> None:
    assert parity(np.array([[0]], np.uint8), np.array([[255]], np.uint8)).max_abs_error == 255


def test_rows_are_the_leading_dimensions() -> None:
    reference = np.zeros((2, 3, 4))
    converted = reference.copy()
    converted[1, 2, 3] = 1
    result = parity(reference, converted)
    assert (result.agreeing, result.rows) == (5, 6)
    assert result.argmax_agreement == pytest.approx(5 / 6)


@pytest.mark.parametrize("shape", [(3,), (3, 1), (3, 4, 1)])
def test_outputs_without_classes_have_no_agreement(shape: tuple[int, ...]) -> None:
    result = parity(np.ones(shape), np.ones(shape))
    assert (result.argmax_agreement, result.agreeing, result.rows) == (None, None, None)


@pytest.mark.parametrize(("converted", "cosine"), [([0.0, 0.0], 1.0), ([1.0, 0.0], 0.0)])
def test_zero_vectors_agree_only_with_each_other(converted: list[float], cosine: float) -> None:
    assert parity(np.zeros((1, 2)), np.array([converted])).cosine_similarity == cosine


def test_noise_without_signal_is_the_worst_ratio() -> None:
    assert parity(np.zeros((1, 2)), np.ones((1, 2))).sqnr_db == -EXACT_SQNR_DB


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_value_that_is_not_finite_is_refused_by_sample_and_output(value: float) -> None:
    accumulator = ParityAccumulator("probabilities")
    accumulator.add(np.ones((2, 2)), np.ones((2, 2)))
    with pytest.raises(
        EvaluationError, match=rf"output 'probabilities': the converted model gives {value} for sample 3"
    ):
        accumulator.add(np.ones((2, 2)), np.array([[1, 1], [1, value]]))


def test_a_float_model_that_is_not_finite_is_blamed_itself() -> None:
    with pytest.raises(EvaluationError, match="the float model gives nan for sample 0"):
        ParityAccumulator("y").add(np.array([[math.nan]]), np.array([[1.0]]))


def test_another_shape_is_refused() -> None:
    with pytest.raises(EvaluationError, match=r"has shape \(2,\), the float model's has \(3,\)"):
        ParityAccumulator("y").add(np.ones((1, 3)), np.ones((1, 2)))


def test_strings_are_refused() -> None:
    with pytest.raises(EvaluationError, match="can't be compared"):
        ParityAccumulator("y").add(np.array([["a"]]), np.array([["a"]]))


@pytest.mark.parametrize("reference", [np.empty((0, 2)), np.empty((2, 0))])
def test_nothing_to_compare_is_an_error(reference: Array) -> None:
    accumulator = ParityAccumulator("y")
    accumulator.add(reference, reference)
    with pytest.raises(EvaluationError, match="no values"):
        accumulator.result()
