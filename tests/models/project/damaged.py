"""Loads many damaged models one after the other inside of a worker, and writes down what became of each."""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from recipekit import registry
from recipekit.contracts import ModelSpec
from recipekit.errors import RecipekitError
from recipekit.worker import keras_file


def outcomes(folder: str, *, described: bool = False) -> list[Any]:
    """Loads the model of each `spec.json` below a folder that has no outcome yet.

    Args:
        folder: with a folder a model.
        described: whether only what a Keras file says of itself is read, which needs no TensorFlow.
    """
    for place in sorted(Path(folder).iterdir()):
        told = place / "outcome.json"
        if not told.exists():
            told.write_bytes(msgspec.json.encode({"exit": 1, "what": "did not end", "where": ""}))
            spec = msgspec.json.decode((place / "spec.json").read_bytes(), type=ModelSpec)
            told.write_bytes(msgspec.json.encode(_outcome(spec, described)))
    return [np.zeros(1, np.float32)]


def _outcome(model: ModelSpec, described: bool) -> dict[str, Any]:
    try:
        if described:
            keras_file.read(Path(model.source.path))
        else:
            registry.plugin("sources", model.source.kind)(model)
    except RecipekitError as error:
        return {"exit": error.exit_code, "what": error.what, "where": error.where}
    except Exception as error:  # noqa: BLE001  the stage would call it a SourceError, but nobody foresaw it
        return {"exit": 1, "what": "".join(traceback.format_exception_only(error)), "where": traceback.format_exc()}
    return {"exit": 0, "what": "", "where": ""}
