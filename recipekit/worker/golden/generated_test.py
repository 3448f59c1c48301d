"""Whether a runtime gives what the golden vectors say; run it with pytest beside the model, best in a copy.

    python -B -m pytest -p no:cacheprovider test_golden_vectors.py      leaves nothing in a published output

It needs NumPy and either `ai-edge-litert` or `tflite-runtime`. The vectors hold the outputs of the reference kernels,
which must come out exactly. The fast kernels of this machine may differ by as much as they did where the model was
built; `results.json` says how much, and on another processor these variables say more:

    GOLDEN_VECTORS_TOLERANCE_LSB=2 pytest test_golden_vectors.py      integer outputs, in steps of their dtype
    GOLDEN_VECTORS_TOLERANCE=0.001 pytest test_golden_vectors.py      other outputs, absolute

Written by recipekit; it is replaced by the next build.
"""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

try:
    from ai_edge_litert.interpreter import Interpreter, OpResolverType
except ImportError:
    from tflite_runtime.interpreter import Interpreter, OpResolverType

HERE = Path(__file__).parent
MODEL = str(HERE / "model.tflite")
ARCHIVE = np.load(HERE / "golden_vectors.npz")
VECTORS = json.loads(str(ARCHIVE["index"]))
RESULTS = HERE / "results.json"
HOST = json.loads(RESULTS.read_text("utf-8"))["measurement"]["golden_vectors"] if RESULTS.is_file() else {}

ids = [f"{number}-{vector['sample']}" for number, vector in enumerate(VECTORS)]


def outputs_of(vector: dict[str, Any], kernels: OpResolverType) -> dict[str, Any]:
    """The outputs of a vector's inputs by name, from the model as it is loaded."""
    interpreter = Interpreter(MODEL, experimental_op_resolver_type=kernels)
    if vector["signature"]:
        run = interpreter.get_signature_runner(vector["signature"])
        return dict(run(**{tensor["name"]: ARCHIVE[tensor["array"]] for tensor in vector["inputs"]}))
    inputs, outputs = interpreter.get_input_details(), interpreter.get_output_details()
    for tensor in vector["inputs"]:
        interpreter.resize_tensor_input(inputs[tensor["position"]]["index"], ARCHIVE[tensor["array"]].shape)
    interpreter.allocate_tensors()
    for tensor in vector["inputs"]:
        interpreter.set_tensor(inputs[tensor["position"]]["index"], ARCHIVE[tensor["array"]])
    interpreter.invoke()
    return {
        tensor["name"]: interpreter.get_tensor(outputs[tensor["position"]]["index"]) for tensor in vector["outputs"]
    }


def difference(expected: Any, got: Any) -> Any:
    """The largest distance between two arrays, exact for integers of any size."""
    assert expected.shape == got.shape
    assert expected.dtype == got.dtype
    wide = np.float64 if expected.dtype.kind == "f" else object
    return np.abs(expected.astype(wide) - got.astype(wide)).max(initial=0)


def tolerance(vector: dict[str, Any], tensor: dict[str, Any], expected: Any) -> float:
    """How far the fast kernels may be from an output."""
    name = f"{vector['signature']}/{tensor['name']}" if vector["signature"] else tensor["name"]
    if expected.dtype.kind == "f":
        return float(os.environ.get("GOLDEN_VECTORS_TOLERANCE", HOST.get("host_abs_error", {}).get(name, 1e-5)))
    return int(os.environ.get("GOLDEN_VECTORS_TOLERANCE_LSB", HOST.get("host_lsb", {}).get(name, 1)))


@pytest.mark.parametrize("vector", VECTORS, ids=ids)
def test_the_reference_kernels_give_the_recorded_outputs(vector: dict[str, Any]) -> None:
    """Steps of integers exactly; floats as far as C libraries differ in the last bits of `exp` and its kin."""
    got = outputs_of(vector, OpResolverType.BUILTIN_REF)
    for tensor in vector["outputs"]:
        expected = ARCHIVE[tensor["array"]]
        rounding = (
            np.finfo(expected.dtype).eps * 8 * np.abs(expected).max(initial=0) if expected.dtype.kind == "f" else 0
        )
        assert difference(expected, got[tensor["name"]]) <= rounding


@pytest.mark.parametrize("vector", VECTORS, ids=ids)
def test_the_fast_kernels_are_as_near_as_where_the_model_was_built(vector: dict[str, Any]) -> None:
    """As far as the tolerances say."""
    got = outputs_of(vector, OpResolverType.AUTO)
    for tensor in vector["outputs"]:
        expected = ARCHIVE[tensor["array"]]
        assert difference(expected, got[tensor["name"]]) <= tolerance(vector, tensor, expected)
