"""Float `.tflite` files as sources, through `load` and `reference`, without TensorFlow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter

from recipekit.contracts import LoadRequest, ReferenceRequest, TensorSpec
from recipekit.errors import SourceError
from recipekit.worker.stages import load, reference
from tests.models.built_flatbuffers import classifier, write
from tests.models.edits import rewritten
from tests.worker.engines.quantizer_runs import Quantizer, converter
from tests.worker.float_sources import dataset, model, values


def refusal(path: Path) -> SourceError:
    with pytest.raises(SourceError) as caught:
        load.run(LoadRequest(model=model("tflite", path)), path.parent)
    assert caught.value.where == str(path)
    return caught.value


@pytest.mark.parametrize(("signature", "output"), [("classify", "scores"), ("", "probabilities")])
def test_the_file_itself_is_what_is_converted(tmp_path: Path, signature: str, output: str) -> None:
    path = write(tmp_path / "float.tflite", classifier(signature))
    loaded = load.run(LoadRequest(model=model("tflite", path)), tmp_path)
    assert (loaded.flatbuffer, loaded.saved_model, loaded.loader) == (str(path), "", "litert")
    assert loaded.signature_key == signature
    assert loaded.signature.inputs == (TensorSpec(name="x", shape=(1, 64), dtype="float32"),)
    assert loaded.signature.outputs == (TensorSpec(name=output, shape=(1, 8), dtype="float32"),)
    assert loaded.parameters == 32 * 64 + 8 * 32


@pytest.mark.parametrize("signature", ["classify", ""])
def test_the_reference_is_what_the_runtime_answers_sample_by_sample(tmp_path: Path, signature: str) -> None:
    path = write(tmp_path / "float.tflite", classifier(signature))
    spec = model("tflite", path)
    loaded = load.run(LoadRequest(model=spec), tmp_path)
    array = np.random.default_rng(0).normal(size=(5, 64)).astype("f")
    samples = dataset(tmp_path / "samples.npz", {"x": array})
    answer = reference.run(ReferenceRequest(model=spec, loaded=loaded, dataset=samples), tmp_path)
    interpreter = Interpreter(model_path=str(path))
    interpreter.allocate_tensors()
    (name,) = answer.outputs
    for row, answered in zip(array, values(answer)[name], strict=True):
        interpreter.set_tensor(interpreter.get_input_details()[0]["index"], row[np.newaxis])
        interpreter.invoke()
        np.testing.assert_array_equal(answered, interpreter.get_tensor(interpreter.get_output_details()[0]["index"])[0])


def test_a_dynamic_dimension_is_told_as_such(tmp_path: Path) -> None:
    def any_batch(made: Any) -> None:
        made.subgraphs[0].tensors[0].shapeSignature = [-1, 64]

    path = rewritten(write(tmp_path / "float.tflite", classifier()), tmp_path / "dynamic.tflite", any_batch)
    loaded = load.run(LoadRequest(model=model("tflite", path)), tmp_path)
    assert loaded.signature.inputs[0].shape == (None, 64)


@pytest.mark.parametrize("quantization", ["float16", "dynamic_range", "weight_only", "int8"])
def test_a_quantized_model_is_refused(tmp_path: Path, quantization: str) -> None:
    quantized = Quantizer(tmp_path, classifier())(converter(quantization)).flatbuffer
    fault = refusal(write(tmp_path / "quantized.tflite", quantized))
    assert "is quantized already: its tensor" in fault.what
    assert "float model" in fault.fix


def test_a_file_that_is_missing_or_no_flatbuffer_is_refused(tmp_path: Path) -> None:
    assert "can't be read" in refusal(tmp_path / "absent.tflite").what
    assert "not a readable .tflite" in refusal(write(tmp_path / "text.tflite", b"x" * 100)).what
    assert "not a readable .tflite" in refusal(write(tmp_path / "cut.tflite", classifier()[:4000])).what


def test_several_signatures_are_refused_by_name(tmp_path: Path) -> None:
    def twice(made: Any) -> None:
        other = schema.SignatureDefT()
        other.signatureKey, other.subgraphIndex = "train", 0
        other.inputs, other.outputs = made.signatureDefs[0].inputs, made.signatureDefs[0].outputs
        made.signatureDefs.append(other)

    path = rewritten(write(tmp_path / "float.tflite", classifier("infer")), tmp_path / "two.tflite", twice)
    assert "the signatures infer, train" in refusal(path).what


@pytest.mark.parametrize(
    ("code", "said"), [("FlexErf", "operators of TensorFlow: Erf"), ("Mystery", "LiteRT can't run the model")]
)
def test_an_operator_that_the_runtime_lacks_is_refused(tmp_path: Path, code: str, said: str) -> None:
    def foreign(made: Any) -> None:
        last = made.operatorCodes[-1]
        last.builtinCode = last.deprecatedBuiltinCode = schema.BuiltinOperator.CUSTOM
        last.customCode = code
        made.subgraphs[0].operators[-1].builtinOptions = None
        made.subgraphs[0].operators[-1].builtinOptionsType = 0

    path = rewritten(write(tmp_path / "float.tflite", classifier()), tmp_path / "foreign.tflite", foreign)
    assert said in refusal(path).what
