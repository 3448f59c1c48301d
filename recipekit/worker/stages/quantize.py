"""The stage `quantize`: the candidate, converted as the recipe declares it."""

from __future__ import annotations

from pathlib import Path

import msgspec

from recipekit import registry
from recipekit.contracts import Engine, Flatbuffer, QuantizeRequest
from recipekit.worker.build_key_place import write_with_place
from recipekit.worker.layer_map import float_places
from recipekit.worker.signature_samples import open_readings


def run(request: QuantizeRequest, folder: Path) -> Flatbuffer:
    """Converts the float model into `folder/model.tflite`, which gets a place for its build key.

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
    candidate = write_with_place(data, folder / "model.tflite")
    return msgspec.structs.replace(candidate, float_places=float_places(data, request.loaded.layers))
