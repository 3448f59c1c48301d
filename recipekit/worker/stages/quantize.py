"""The quantize stage: the candidate, converted as the recipe declares it."""

from __future__ import annotations

from pathlib import Path

from recipekit import digests, registry
from recipekit.contracts import Flatbuffer, QuantizeRequest
from recipekit.worker.samples import open_samples


def run(request: QuantizeRequest, folder: Path) -> Flatbuffer:
    """Converts the float model into `folder/model.tflite`, with `samples.jsonl` beside it where it was calibrated.

    Raises:
        UnsupportedOp: the model uses operators that the op sets lack.
        ConversionError: the quantization needs samples and has none, or the converter refused.
        DatasetError: a calibration sample doesn't fit.
        PluginError: code of the dataset failed.
    """
    reading = None
    if request.dataset is not None and request.converter.needs_samples:
        reading = open_samples(request.dataset, request.loaded.signature, folder)
    convert = registry.plugin("engines", "tflite_converter")
    data: bytes = convert(request.loaded, request.converter, reading)
    path = folder / "model.tflite"
    path.write_bytes(data)
    return Flatbuffer(
        path=str(path),
        sha256=digests.of_bytes(data),
        size=len(data),
        samples=reading.sample_set() if reading is not None else None,
    )
