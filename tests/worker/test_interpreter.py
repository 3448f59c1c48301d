from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from recipekit.errors import EvaluationError
from recipekit.worker.interpreter import Runner, open_runners
from tests.models.edits import rewritten
from tests.properties import at_most

pytestmark = pytest.mark.tensorflow

KEPT = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=at_most(30))
SHAPE = (8, 8, 3)
IMAGES = arrays.arrays(np.float32, SHAPE, elements=st.floats(-8, 8, width=32))


def image(seed: int = 0) -> npt.NDArray[np.float32]:
    return np.random.default_rng(seed).normal(0, 1, SHAPE).astype(np.float32)


def by_signature_runner(path: Path, value: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """What LiteRT's own signature runner computes, quantized and dequantized by the book."""
    runner = Interpreter(model_path=str(path)).get_signature_runner("serving_default")
    entry, exit_ = runner.get_input_details()["image"], runner.get_output_details()["probabilities"]
    scale, zero_point = entry["quantization"]
    fed = value[np.newaxis]
    if scale:
        limits = np.iinfo(entry["dtype"])
        fed = np.clip(np.rint(fed / np.float32(scale)) + zero_point, limits.min, limits.max).astype(entry["dtype"])
    result: npt.NDArray[Any] = runner(image=fed)["probabilities"][0]
    scale, zero_point = exit_["quantization"]
    return (result.astype(np.float64) - zero_point) * scale if scale else result.astype(np.float64)


@pytest.mark.parametrize("name", ["float32", "int8", "uint8", "int16x8", "dynamic_range", "float16"])
@KEPT
@given(value=IMAGES)
def test_every_scheme_gives_what_the_signature_runner_gives(
    measured_models: Path, name: str, value: npt.NDArray[np.float32]
) -> None:
    path = measured_models / f"{name}.tflite"
    result = Runner(path).run({"image": value})
    assert list(result) == ["probabilities"]
    assert result["probabilities"].dtype == np.float32
    np.testing.assert_allclose(result["probabilities"], by_signature_runner(path, value), rtol=1e-6, atol=1e-9)


def test_inputs_and_outputs_go_by_name_alone(measured_models: Path) -> None:
    runner = Runner(measured_models / "twins.tflite")
    right, left = np.array([5, 6, 7, 8], np.float32), np.array([1, 1, 1, 2], np.float32)
    for sample in ({"right": right, "left": left}, {"left": left, "right": right}):
        outputs = runner.run(sample)
        np.testing.assert_array_equal(outputs["total"], right + 2 * left)
        np.testing.assert_array_equal(outputs["difference"], right - left)


def test_results_stay_as_they_are_when_the_next_sample_runs(measured_models: Path) -> None:
    runner = Runner(measured_models / "float32.tflite")
    first = runner.run({"image": image(0)})["probabilities"]
    copy = first.copy()
    runner.run({"image": image(1)})
    np.testing.assert_array_equal(first, copy)


def test_an_array_of_a_quantized_inputs_own_dtype_goes_in_as_it_is(measured_models: Path) -> None:
    runner = Runner(measured_models / "int8.tflite")
    entry = Interpreter(model_path=str(measured_models / "int8.tflite")).get_input_details()[0]
    scale, zero_point = entry["quantization"]
    integers = np.arange(-96, 96, dtype=np.int8).reshape(SHAPE)
    real = ((integers.astype(np.float64) - zero_point) * scale).astype(np.float32)
    np.testing.assert_array_equal(
        runner.run({"image": integers})["probabilities"], runner.run({"image": real})["probabilities"]
    )


def test_dynamic_dimensions_follow_the_sample(measured_models: Path) -> None:
    runner = Runner(measured_models / "mixed.tflite")
    for length in (3, 5, 2):
        x = np.arange(length, dtype=np.float32) - 1
        outputs = runner.run({"x": x, "n": np.array(length, np.int32)})
        np.testing.assert_array_equal(outputs["doubled"], 2 * x)
        np.testing.assert_array_equal(outputs["positive"], x > 0)
        assert outputs["next"] == length + 1
        assert [outputs[name].dtype.name for name in ("next", "positive")] == ["int32", "bool"]


def test_without_a_signature_tensors_go_by_their_own_names(measured_models: Path, tmp_path: Path) -> None:
    def strip(model: schema.ModelT) -> None:
        model.signatureDefs = []

    runner = Runner(rewritten(measured_models / "twins.tflite", tmp_path / "model.tflite", strip))
    assert set(runner.inputs) == {"serving_default_left:0", "serving_default_right:0"}
    outputs = runner.run(dict.fromkeys(runner.inputs, np.ones(4, np.float32)))
    assert sorted(float(output[0]) for output in outputs.values()) == [0, 3]


def test_several_signatures_are_run_by_key_and_refused_without(measured_models: Path, tmp_path: Path) -> None:
    def double(model: schema.ModelT) -> None:
        other = schema.SignatureDefT()
        other.inputs, other.outputs = model.signatureDefs[0].inputs, model.signatureDefs[0].outputs
        other.signatureKey, other.subgraphIndex = "encode", 0
        model.signatureDefs.append(other)

    path = rewritten(measured_models / "twins.tflite", tmp_path / "model.tflite", double)
    with pytest.raises(EvaluationError, match="encode, serving_default"):
        Runner(path)
    runners = open_runners(path, ["serving_default", "encode"])
    sample = {"left": np.arange(4, dtype=np.float32), "right": np.ones(4, np.float32)}
    expected = Runner(measured_models / "twins.tflite").run(sample)
    for key in ("serving_default", "encode"):
        np.testing.assert_equal(runners[key].run(sample), expected)
    with pytest.raises(EvaluationError, match="the model has the signatures encode, serving_default, the float model"):
        open_runners(path, ["encode", "decode"])


@pytest.mark.parametrize(("name", "said"), [("flex", "Select TensorFlow op"), ("custom", "MatrixDeterminant")])
def test_operators_that_litert_lacks_are_answered_with_the_way_out(measured_models: Path, name: str, said: str) -> None:
    with pytest.raises(EvaluationError, match=said) as caught:
        Runner(measured_models / f"{name}.tflite")
    assert "measured" in caught.value.fix


@pytest.mark.parametrize("data", [b"", b"\x1c\0\0\0TFL3", b"no flatbuffer" * 99])
def test_a_file_that_is_no_model_is_an_evaluation_error(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "model.tflite").write_bytes(data)
    with pytest.raises(EvaluationError, match="LiteRT can't run the model"):
        Runner(tmp_path / "model.tflite")


@pytest.mark.parametrize(
    ("sample", "said"),
    [
        ({"left": np.ones(4, np.float32)}, "the sample holds left, the model takes left, right"),
        ({"left": np.ones(4, np.float32), "wright": np.ones(4, np.float32)}, "the sample holds left, wright"),
        ({"left": np.ones(4, np.float32), "right": np.ones(5, np.float32)}, "input 'right' has shape 1x4.*1x5"),
        ({"left": np.ones((1, 4), np.float32), "right": np.ones(4, np.float32)}, "input 'left' has shape 1x4.*1x1x4"),
        ({"left": np.ones(4, np.complex64), "right": np.ones(4, np.float32)}, "input 'left' takes float32"),
    ],
)
def test_a_sample_that_does_not_fit_is_refused_by_input(
    measured_models: Path, sample: dict[str, npt.NDArray[Any]], said: str
) -> None:
    with pytest.raises(EvaluationError, match=said):
        Runner(measured_models / "twins.tflite").run(sample)
