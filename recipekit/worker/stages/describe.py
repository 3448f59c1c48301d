"""The stage `describe`: what a Keras file or a SavedModel says of itself before anything loads it."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

from recipekit.contracts import DescribeRequest, Description

_READERS = {
    "keras": "recipekit.worker.keras_description",
    "saved_model": "recipekit.worker.saved_model_description",
}
"""Imported when they are asked for: one of them needs TensorFlow, whose import takes three seconds."""


def run(request: DescribeRequest, folder: Path) -> Description:
    """Reads a file or folder; nothing of it is run.

    Raises:
        SourceError: it can't be read, or isn't what the request says.
    """
    del folder
    reader: Any = importlib.import_module(_READERS[request.kind])
    description: Description = reader.describe(Path(request.path))
    return description
