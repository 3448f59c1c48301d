"""The stage `mark`: a float candidate with a place for its build key, which quantized ones get when they are made."""

from __future__ import annotations

from pathlib import Path

from recipekit.contracts import Flatbuffer, MarkRequest
from recipekit.worker.build_key_place import write_with_place


def run(request: MarkRequest, folder: Path) -> Flatbuffer:
    """Writes the flatbuffer with the place into `folder/model.tflite`."""
    return write_with_place(Path(request.flatbuffer).read_bytes(), folder / "model.tflite")
