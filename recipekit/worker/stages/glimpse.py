"""The stage `glimpse`: what samples a file holds, by its heads alone."""

from __future__ import annotations

from pathlib import Path

from recipekit.contracts import Glimpse, GlimpseRequest, ModelTensor
from recipekit.errors import DatasetError
from recipekit.worker.datasets.npz import heads
from recipekit.worker.example_message import Values, parse_example
from recipekit.worker.tfrecord_file import TFRecordFile

_IMAGES = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"BM")
"""What files of images begin with."""


def run(request: GlimpseRequest, folder: Path) -> Glimpse:
    """Reads the heads of an `.npz` file, or the first record of a file of `tf.train.Example` messages.

    Raises:
        DatasetError: the file is unreadable, or holds no samples.
    """
    del folder
    path = Path(request.path)
    return _arrays(path) if request.plugin == "npz" else _records(path)


def _arrays(path: Path) -> Glimpse:
    found = heads(path)
    fields = {
        name: ModelTensor(name=name, dtype="str" if dtype.kind in "SU" else dtype.name, shape=shape[1:])
        for name, (dtype, shape) in found.items()
    }
    lengths = {shape[:1] for _, shape in found.values()}
    return Glimpse(samples=next(iter(lengths))[0] if len(lengths) == 1 and () not in lengths else None, fields=fields)


def _records(path: Path) -> Glimpse:
    file = TFRecordFile(path)
    if not len(file):
        raise DatasetError("holds no record", where=str(path), fix="name a file with samples")
    try:
        values = parse_example(file[0])
    except ValueError as error:
        raise DatasetError(f"record 0: {error}", where=str(path), fix="write tf.train.Example messages") from error
    return Glimpse(samples=len(file), fields={key: _feature(key, its) for key, its in sorted(values.items())})


def _feature(key: str, values: Values) -> ModelTensor:
    first = values[0] if values else b""
    if isinstance(first, bytes):
        dtype = "image" if first.startswith(_IMAGES) else "bytes"
    else:
        dtype = "int64" if isinstance(first, int) else "float32"
    return ModelTensor(name=key, dtype=dtype, shape=(len(values),))
