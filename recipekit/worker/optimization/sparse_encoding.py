"""Sparse weights in a flatbuffer: written by TensorFlow's converter, kept only where the runtime proves that it can.

TensorFlow writes the sparse form of any weights; LiteRT's kernels read it for some operators and dtypes, and for others
fail to start. So a file counts only once it has run.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from ai_edge_litert.interpreter import Interpreter

_TOLERANCE = 1e-5  # sparse kernels add in another order


def encode(flatbuffer: bytes) -> bytes:
    """The flatbuffer with sparse weights; as it is where this TensorFlow has no such step, or the step refuses it."""
    convert: Any = importlib.import_module("tensorflow.lite.python.convert")
    sparsify = getattr(convert, "mlir_sparsify", None)
    if sparsify is None:
        return flatbuffer
    try:
        return bytes(sparsify(flatbuffer))
    except Exception:  # noqa: BLE001  whatever it is, the dense file is right
        return flatbuffer


def run_alike(dense: Path, sparse: Path) -> bool:
    """Whether LiteRT runs two files and gets the same from the same random input."""
    expected = _outputs(dense)
    got = _outputs(sparse)
    if expected is None or got is None or expected.keys() != got.keys():
        return False
    return all(
        np.allclose(got[name], values, rtol=_TOLERANCE, atol=_TOLERANCE * float(np.abs(values).max(initial=0)))
        for name, values in expected.items()
    )


def _outputs(path: Path) -> dict[str, npt.NDArray[np.float64]] | None:
    """Outputs by name for random inputs, the same in each call; None where the file doesn't run."""
    draw = np.random.default_rng(0)
    try:
        runner = Interpreter(model_path=str(path)).get_signature_runner()
        inputs = {
            name: _random(draw, detail["shape"], detail["dtype"])
            for name, detail in sorted(runner.get_input_details().items())
        }
        return {name: np.asarray(values, np.float64) for name, values in runner(**inputs).items()}
    except (ValueError, RuntimeError):
        return None


def _random(draw: np.random.Generator, shape: Any, dtype: Any) -> npt.NDArray[Any]:
    if np.issubdtype(dtype, np.floating):
        return np.asarray(draw.normal(size=shape), dtype)
    return np.asarray(draw.integers(0, 2, shape), dtype)
