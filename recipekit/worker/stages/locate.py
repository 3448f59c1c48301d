"""The stage `locate`: what a byte of a converted model is part of."""

from __future__ import annotations

from pathlib import Path

from recipekit.contracts import Located, LocateRequest
from recipekit.worker import census
from recipekit.worker.flatbuffer_parts import part_at


def run(request: LocateRequest, folder: Path) -> Located:
    """Reads the file.

    Raises:
        EvaluationError: it is not a TensorFlow Lite flatbuffer.
    """
    del folder
    path = Path(request.flatbuffer)
    census.take(path)
    return Located(part=part_at(path.read_bytes(), request.offset))
