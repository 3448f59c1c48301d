"""The stage `inspect`: what a `.tflite` file holds."""

from __future__ import annotations

from pathlib import Path

from recipekit.contracts import Inspection, InspectRequest
from recipekit.worker.file_contents import contents_of


def run(request: InspectRequest, folder: Path) -> Inspection:
    """Reads a file; nothing is run.

    Raises:
        SourceError: the file can't be read, or isn't a `.tflite`.
    """
    del folder
    return contents_of(Path(request.path))
