"""The stage `encode`: a flatbuffer without the zeros of its weights, where that is smaller and runs alike."""

from __future__ import annotations

from pathlib import Path

from recipekit.contracts import EncodeRequest, Flatbuffer
from recipekit.worker.build_key_place import published_size, write_with_place
from recipekit.worker.optimization.sparse_encoding import encode, run_alike


def run(request: EncodeRequest, folder: Path) -> Flatbuffer:
    """Writes the sparse form of a flatbuffer into `folder/model.tflite`, or the flatbuffer as it is.

    A file that isn't smaller for it, or that the runtime refuses or computes otherwise, stays dense.
    """
    dense, path = Path(request.flatbuffer), folder / "model.tflite"
    data = dense.read_bytes()
    written = write_with_place(encode(data), path)
    if written.size < published_size(dense) and run_alike(dense, path):
        return written
    return write_with_place(data, path)
