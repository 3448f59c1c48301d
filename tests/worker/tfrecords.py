"""TFRecord files for tests, written without TensorFlow."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

from recipekit.worker.crc32c import masked_crc32c
from recipekit.worker.example_message import _message_class


def framed(data: bytes) -> bytes:
    """One record as it lies in a file."""
    length = struct.pack("<Q", len(data))
    return length + struct.pack("<I", masked_crc32c(length)) + data + struct.pack("<I", masked_crc32c(data))


def example(**features: Any) -> bytes:
    """A serialized `tf.train.Example` of lists of bytes, floats or integers."""
    message = _message_class()()
    for key, values in features.items():
        kind = {bytes: "bytes_list", float: "float_list", int: "int64_list"}[type(values[0])]
        getattr(message.features.feature[key], kind.replace("_", "")).value.extend(values)
    data: bytes = message.SerializeToString()
    return data


def write(path: Path, *records: bytes) -> Path:
    """A file of records."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"".join(map(framed, records)))
    return path
