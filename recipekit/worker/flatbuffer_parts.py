"""Which part of a flatbuffer a byte belongs to, so that a difference between two files has a name.

The layout is that of TensorFlow Lite's schema. The file is read in Python, without an interpreter.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from ai_edge_litert import schema_py_generated as schema

_DATA = 4
"""Position of the field `data` in the virtual table of a Buffer."""


class Part(NamedTuple):
    """Bytes `start` to `end`, the latter excluded, and what they are."""

    start: int
    end: int
    what: str


def part_at(flatbuffer: bytes, offset: int) -> str:
    """What the byte at an offset is part of, in words.

    Args:
        flatbuffer: a whole `.tflite` file, known to be one.
        offset: from 0.
    """
    model = schema.Model.GetRootAs(flatbuffer)
    for part in _data(model):
        if part.start <= offset < part.end:
            return part.what
    before = [table for table in _tables(model) if table.start <= offset]
    return max(before).what if before else "the file's header"


def _data(model: schema.Model) -> Iterator[Part]:
    """Values of tensors and of metadata, which are nearly all of a file."""
    owners = dict(_owners(model))
    for index in range(model.BuffersLength()):
        buffer = model.Buffers(index)
        what = owners.get(index, f"buffer {index}, which nothing names")
        field = buffer._tab.Offset(_DATA)
        if field:
            start = buffer._tab.Vector(field)
            yield Part(start, start + buffer.DataLength(), what)
        elif buffer.Offset() > 1:  # of a file beyond 2 GiB, whose values lie behind the flatbuffer
            yield Part(buffer.Offset(), buffer.Offset() + buffer.Size(), what)


def _owners(model: schema.Model) -> Iterator[tuple[int, str]]:
    """What each buffer holds; of one that several tensors share, the last of them."""
    for graph in map(model.Subgraphs, range(model.SubgraphsLength())):
        for tensor in map(graph.Tensors, range(graph.TensorsLength())):
            yield tensor.Buffer(), f"values of the tensor '{_text(tensor.Name())}'"
    for entry in map(model.Metadata, range(model.MetadataLength())):
        yield entry.Buffer(), f"the metadata '{_text(entry.Name())}'"


def _tables(model: schema.Model) -> Iterator[Part]:
    """Where the tables of the graph begin; a byte behind one is its own, or of something that it refers to."""
    for number, graph in enumerate(map(model.Subgraphs, range(model.SubgraphsLength()))):
        yield _table(graph, f"the description of subgraph {number}")
        for tensor in map(graph.Tensors, range(graph.TensorsLength())):
            yield _table(tensor, f"near the description of the tensor '{_text(tensor.Name())}'")
        for index, operator in enumerate(map(graph.Operators, range(graph.OperatorsLength()))):
            yield _table(operator, f"near the description of operator {index} of subgraph {number}")
    for signature in map(model.SignatureDefs, range(model.SignatureDefsLength())):
        yield _table(signature, f"near the description of the signature '{_text(signature.SignatureKey())}'")
    for code in map(model.OperatorCodes, range(model.OperatorCodesLength())):
        yield _table(code, "near the list of operators in use")
    for entry in map(model.Metadata, range(model.MetadataLength())):
        yield _table(entry, f"near the description of the metadata '{_text(entry.Name())}'")


def _table(table: object, what: str) -> Part:
    start: int = table._tab.Pos  # type: ignore[attr-defined]
    return Part(start, start, what)


def _text(name: bytes | None) -> str:
    return (name or b"").decode("utf-8", errors="replace")
