"""The stage `encode`: a flatbuffer without the zeros of its weights, where that is smaller and runs alike."""

from __future__ import annotations

from pathlib import Path

from recipekit import digests
from recipekit.contracts import EncodeRequest, Flatbuffer
from recipekit.worker.optimization.sparse_encoding import encode, run_alike


def run(request: EncodeRequest, folder: Path) -> Flatbuffer:
    """Writes the sparse form of a flatbuffer into `folder/model.tflite`, or the flatbuffer as it is.

    A file that isn't smaller for it, or that the runtime refuses or computes otherwise, stays dense.
    """
    dense = Path(request.flatbuffer)
    data = dense.read_bytes()
    sparse = encode(data)
    path = folder / "model.tflite"
    if len(sparse) < len(data):
        path.write_bytes(sparse)
        data = sparse if run_alike(dense, path) else data
    path.write_bytes(data)
    return Flatbuffer(path=str(path), sha256=digests.of_bytes(data), size=len(data))
