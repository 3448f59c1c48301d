"""The stage `lower`: the plain float32 conversion, by which size and speed are judged and every scheme begins."""

from __future__ import annotations

from pathlib import Path

from recipekit import digests
from recipekit.contracts import Flatbuffer, LowerRequest
from recipekit.worker.engines.tflite_converter import lower
from recipekit.worker.layer_map import trace


def run(request: LowerRequest, folder: Path) -> Flatbuffer:
    """Converts the float model without quantization, with float32 inputs and outputs, into `folder/model.tflite`.

    Raises:
        UnsupportedOp: the model uses operators that the recipe's op sets lack.
        ConversionError: the converter refused.
    """
    data = lower(request.loaded, request.lowering)
    path = folder / "model.tflite"
    path.write_bytes(data)
    layers = trace(data, request.loaded.layers) if request.loaded.layers else ()
    return Flatbuffer(path=str(path), sha256=digests.of_bytes(data), size=len(data), layers=layers)
