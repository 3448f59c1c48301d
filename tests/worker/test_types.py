"""Inputs of every element type and rank on the whole way: source, reference, conversion by a scheme, measurement."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recipekit.errors import ConversionError, UnsupportedOp
from tests.conftest import RunStage
from tests.worker.float_sources import (
    Arrays,
    dataset,
    draw,
    load,
    measured,
    model,
    reference,
    values,
    worst_sqnr_db,
)

pytestmark = pytest.mark.tensorflow

DRAW = np.random.default_rng(0)
WORDS = np.array([["cat", "Säge"], ["Säge", "a word nobody knows"], ["", "cat"], ["cat", "cat"]])
SAMPLES: dict[str, Arrays] = {
    "integers": {
        dtype: DRAW.integers(1, 100, (8, 4)).astype(dtype)
        for dtype in ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32")
    },
    "booleans": {"chosen": DRAW.random((8, 4)) > 0.5, "x": DRAW.normal(size=(8, 4)).astype(np.float32)},
    "half": {"x": DRAW.normal(size=(8, 4)).astype(np.float16)},
    "scalars": {
        "gain": DRAW.normal(size=8).astype(np.float32),
        "count": np.arange(8, dtype=np.int32),
        "x": DRAW.normal(size=(8, 4)).astype(np.float32),
    },
    "equal_words": {"word": WORDS, "other": WORDS[::-1]},
    "one_word": {"word": np.array(["cat", "dog", "Säge", "cat"])},
    "vocabulary": {"word": WORDS},
}


@pytest.mark.parametrize("name", SAMPLES)
def test_a_plain_conversion_answers_like_the_model(
    run_stage: RunStage, typed_models: Path, tmp_path: Path, name: str
) -> None:
    spec = model("saved_model", typed_models / name)
    measurement = measured(run_stage, spec, tmp_path, samples=SAMPLES[name])
    assert {tensor.name: tensor.dtype for tensor in measurement.census.inputs} == {
        tensor: "str" if array.dtype.kind == "U" else array.dtype.name for tensor, array in SAMPLES[name].items()
    }
    assert worst_sqnr_db(measurement) > 110


@pytest.mark.parametrize("quantization", ["float16", "dynamic_range", "int8"])
@pytest.mark.parametrize("name", ["integers", "booleans", "half", "scalars"])
def test_quantization_leaves_other_types_alone(
    run_stage: RunStage, typed_models: Path, tmp_path: Path, name: str, quantization: str
) -> None:
    spec = model("saved_model", typed_models / name)
    measurement = measured(run_stage, spec, tmp_path, quantization, SAMPLES[name])
    assert worst_sqnr_db(measurement) > (50 if quantization == "float16" else 25)


def test_text_is_calibrated_by_the_engine_that_survives_it(
    run_stage: RunStage, typed_models: Path, tmp_path: Path
) -> None:
    spec = model("saved_model", typed_models / "vocabulary")
    with pytest.raises(ConversionError, match="the input 'word' takes text") as caught:
        measured(run_stage, spec, tmp_path, "int8", SAMPLES["vocabulary"])
    assert "ai_edge_quantizer" in caught.value.fix
    measurement = measured(run_stage, spec, tmp_path, "int8", SAMPLES["vocabulary"], "ai_edge_quantizer")
    assert worst_sqnr_db(measurement) > 25
    assert worst_sqnr_db(measured(run_stage, spec, tmp_path, "dynamic_range", SAMPLES["vocabulary"])) > 25


def test_words_answer_as_they_should(run_stage: RunStage, typed_models: Path, tmp_path: Path) -> None:
    spec = model("saved_model", typed_models / "one_word")
    samples = dataset(tmp_path / "samples.npz", SAMPLES["one_word"])
    answer = values(reference(run_stage, spec, load(run_stage, spec), samples))
    assert answer["is_cat"].ravel().tolist() == [1, 0, 0, 1]


@pytest.mark.parametrize(("name", "operator"), [("half_sum", "AddV2"), ("length", "StringLength")])
def test_a_type_without_kernels_is_refused_by_operator(
    run_stage: RunStage, typed_models: Path, tmp_path: Path, name: str, operator: str
) -> None:
    samples: Arrays = {"half_sum": SAMPLES["half"], "length": {"word": WORDS}}[name]
    with pytest.raises(UnsupportedOp, match=operator):
        measured(run_stage, model("saved_model", typed_models / name), tmp_path, samples=samples)


NAMES = ["zeta", "alpha", "class", "side view", "x:0", "a/b", "input_1", "args_0", "über"]


@settings(max_examples=8, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    inputs=st.permutations(NAMES).map(lambda names: names[:4]),
    outputs=st.permutations(NAMES).map(lambda names: names[:3]),
)
def test_names_and_never_positions_join_inputs_and_outputs(
    run_stage: RunStage, tmp_path: Path, inputs: list[str], outputs: list[str]
) -> None:
    """All inputs have one shape and all outputs one, so that a mistaken position would only show in the values."""
    spec = model("python", factory="factories.py:weighted", kwargs={"inputs": inputs, "outputs": outputs})
    loaded = load(run_stage, spec)
    samples = draw(loaded, 3)
    answer = values(reference(run_stage, spec, loaded, dataset(tmp_path / "samples.npz", samples)))
    for place, output in enumerate(outputs):
        expected = sum((place * 4 + index + 1) * samples[name] for index, name in enumerate(inputs))
        np.testing.assert_allclose(answer[output], expected, rtol=1e-5)
    measurement = measured(run_stage, spec, tmp_path, samples=samples)
    assert measurement.parity.keys() == set(outputs)
    assert worst_sqnr_db(measurement) > 110


@settings(max_examples=4, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    inputs=st.permutations(["zeta", "alpha", "mid", "beta"]),
    outputs=st.permutations(["last", "a_first", "middle"]),
)
def test_names_join_the_layers_of_a_keras_model(
    run_stage: RunStage, tmp_path: Path, inputs: list[str], outputs: list[str]
) -> None:
    spec = model("python", factory="factories.py:weighted_keras", kwargs={"inputs": inputs, "outputs": outputs})
    loaded = load(run_stage, spec)
    samples = draw(loaded, 3)
    answer = values(reference(run_stage, spec, loaded, dataset(tmp_path / "samples.npz", samples)))
    for place, output in enumerate(outputs):
        expected = sum((place * 4 + index + 1) * samples[name] for index, name in enumerate(inputs))
        np.testing.assert_allclose(answer[output], expected, rtol=1e-5)
    assert worst_sqnr_db(measured(run_stage, spec, tmp_path, "int8", samples)) > 25
