"""The quantize stage: the candidate, converted as the recipe declares it."""

from __future__ import annotations

from pathlib import Path

from recipekit import digests, registry
from recipekit.contracts import Engine, Flatbuffer, QuantizeRequest
from recipekit.worker.signature_samples import open_readings


def run(request: QuantizeRequest, folder: Path) -> Flatbuffer:
    """Converts the float model into `folder/model.tflite`.

    Raises:
        UnsupportedOp: the model uses operators that the op sets lack.
        ConversionError: the scheme doesn't fit the model, a rule matches nothing, or the converter refused.
        DatasetError, PluginError: where the engine has to read the samples again.
    """
    engine: Engine = registry.plugin("engines", request.converter.engine)()
    samples = None
    if request.dataset is not None:
        samples = open_readings(request.dataset, request.loaded.signatures, folder)
    data = engine.quantize(request, samples)
    path = folder / "model.tflite"
    path.write_bytes(data)
    return Flatbuffer(path=str(path), sha256=digests.of_bytes(data), size=len(data))
