"""Converted models changed by hand, for what no converter writes any more, or writes yet."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import flatbuffers  # type: ignore[import-untyped]  # it ships no types
from ai_edge_litert import schema_py_generated as schema


def rewritten(source: Path, target: Path, change: Callable[[Any], None]) -> Path:
    """A copy of a `.tflite` with something in it changed."""
    model = schema.ModelT.InitFromPackedBuf(source.read_bytes(), 0)
    change(model)
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    target.write_bytes(bytes(builder.Output()))
    return target
