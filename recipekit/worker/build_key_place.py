"""A place in a `.tflite` file for the key of the build that it comes from, by which a stray file finds its manifest.

The place is a metadata entry of TensorFlow Lite's schema. The file is not written anew for it: what is new stands in
front (the root table once more, its lists of buffers and of metadata, the entry), and behind it the whole file as it
was, so that nothing of it is lost and every alignment stays. Only offsets that count from the beginning of the file are
corrected: those of data behind the flatbuffer, and those of a zip archive of associated files at its end.
Format: https://flatbuffers.dev/internals/ and TensorFlow Lite's schema, whose root table holds a 32-bit number and
otherwise references. It knows no build key; whoever publishes the file writes it into the place.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from recipekit import digests
from recipekit.contracts import BUILD_KEY_ENTRY, BUILD_KEY_PLACEHOLDER, Flatbuffer
from recipekit.worker.zip_offsets import zip_offsets

_ALIGNMENT = 16  # what the schema forces the content of buffers to
_BUFFERS, _METADATA, _KNOWN_FIELDS = 4, 6, 10  # of the root table
_LARGE_OPTIONS = 9  # of an operator
_PRECOMPILED = b"DISPATCH_OP"
"""LiteRT's operator for code of an accelerator, which it finds by an offset in options that only the vendor reads."""


class Correction(NamedTuple):
    """A number in the file as it was that counts from the file's beginning: where, its `struct` format, its value."""

    position: int
    format: str
    value: int


class Place(NamedTuple):
    """What makes a place for a build key.

    Attributes:
        header: bytes to put in front of the file.
        offset: of the placeholder in the new file.
        corrections: by how much each is raised is the length of the header.
    """

    header: bytes
    offset: int
    corrections: tuple[Correction, ...]


def published_size(path: Path) -> int:
    """Bytes of a `.tflite` file once it has a place, by which files with and without one are compared.

    Args:
        path: a file that is known to be one.
    """
    with path.open("rb") as stream, mmap(stream.fileno(), 0, access=ACCESS_READ) as data:
        place = place_in(data)
        return len(data) + len(place.header if place else b"")


def write_with_place(data: bytes, path: Path) -> Flatbuffer:
    """Writes a candidate with a place for its build key, or as it is where `place_in` knows none.

    Args:
        data: a whole `.tflite` file, known to be one.
        path: where it goes.
    """
    header, offset, corrections = place_in(data) or (b"", None, ())
    with path.open("wb") as stream:
        stream.write(header)
        stream.write(data)
        for position, form, value in corrections:
            stream.seek(len(header) + position)
            stream.write(struct.pack(form, value + len(header)))
    size = path.stat().st_size
    return Flatbuffer(path=str(path), sha256=digests.of_file(path), size=size, build_key_offset=offset)


def place_in(data: bytes | mmap) -> Place | None:
    """How to make a place in a file.

    A file that has one keeps it. An older entry of the name, as in a source that was an output itself, is replaced.

    Returns:
        The place; None where the file can't be moved without harm, because its root table has fields that this schema
        doesn't know, or an operator has code of an accelerator behind the flatbuffer.
    """
    model = schema.Model.GetRootAs(data)
    root = _Table.at(data, struct.unpack_from("<I", data)[0])
    customs = {model.OperatorCodes(index).CustomCode() for index in range(model.OperatorCodesLength())} - {None}
    if len(root.fields) > _KNOWN_FIELDS or _PRECOMPILED in customs:
        return None
    entries = [model.Metadata(index) for index in range(model.MetadataLength())]
    own = [entry.Name() == BUILD_KEY_ENTRY.encode() for entry in entries]
    if sum(own) == 1 and (offset := _placeholder(model, entries[own.index(True)].Buffer())) is not None:
        return Place(b"", offset, ())
    kept = [target for target, is_own in zip(root.list(_METADATA), own, strict=True) if not is_own]
    buffers = root.list(_BUFFERS)
    header, offset = _header(root, buffers, kept)
    corrections = [*_buffers_behind(data, buffers), *(Correction(*entry) for entry in zip_offsets(data))]
    if customs:
        corrections += _options_behind(model)
    return Place(header, offset, tuple(corrections))


def _placeholder(model: Any, index: int) -> int | None:
    """Where a buffer's content stands that is a placeholder and no tensor's."""
    buffer = model.Buffers(index)
    if buffer.DataIsNone() or bytes(buffer.DataAsNumpy()) != BUILD_KEY_PLACEHOLDER:
        return None
    subgraphs = map(model.Subgraphs, range(model.SubgraphsLength()))
    tensors = (subgraph.Tensors(at) for subgraph in subgraphs for at in range(subgraph.TensorsLength()))
    if any(tensor.Buffer() == index for tensor in tensors):
        return None
    table = buffer._tab
    return int(table.Vector(table.Offset(4)))


class _Table(NamedTuple):
    """A flatbuffer's table whose fields have four bytes each.

    Attributes:
        data: the file.
        fields: where each field stands in the file, 0 for one that is absent.
    """

    data: bytes | mmap
    fields: tuple[int, ...]

    @classmethod
    def at(cls, data: bytes | mmap, position: int) -> _Table:
        vtable = position - struct.unpack_from("<i", data, position)[0]
        (size,) = struct.unpack_from("<H", data, vtable)
        offsets = struct.unpack_from(f"<{(size - 4) // 2}H", data, vtable + 4)
        return cls(data, tuple(position + offset if offset else 0 for offset in offsets))

    def number(self, field: int) -> int:
        return int(struct.unpack_from("<I", self.data, self.fields[field])[0])

    def target(self, field: int) -> int:
        """Where the thing stands that a field refers to."""
        return self.fields[field] + self.number(field)

    def list(self, field: int) -> list[int]:
        """Where the things stand that a field's list refers to; none where the field is absent."""
        if field >= len(self.fields) or not self.fields[field]:
            return []
        position = self.target(field)
        (length,) = struct.unpack_from("<I", self.data, position)
        entries = np.frombuffer(self.data, "<u4", length, position + 4).astype(np.int64)
        return list(map(int, entries + np.arange(length) * 4 + position + 4))


def _header(root: _Table, buffers: Sequence[int], metadata: Sequence[int]) -> tuple[bytes, int]:
    """The bytes in front of the file, and where the placeholder is in them.

    References only lead forward, so lists come first, then the tables that are new. A table begins with the distance
    back to its layout, which says for each field how far behind the table's beginning it is.

    Args:
        root: the file's root table.
        buffers: where its buffers stand in the file.
        metadata: where the metadata entries stand that are kept.
    """
    name = BUILD_KEY_ENTRY.encode()
    present = sorted({_BUFFERS, _METADATA, *(field for field, at in enumerate(root.fields) if at)})
    layout = [4 * (1 + present.index(field)) if field in present else 0 for field in range(_KNOWN_FIELDS)]
    table = 8 + 4 + 2 * len(layout)
    metadata_list = table + 4 * (1 + len(present))
    buffer_list = metadata_list + 4 * (1 + len(metadata) + 1)
    entry = buffer_list + 4 * (1 + len(buffers) + 1) + 8
    text = entry + 12
    buffer = _aligned(text + 4 + len(name) + 1, 4) + 8
    key = _aligned(buffer + 8 + 4, _ALIGNMENT)
    size = key + len(BUILD_KEY_PLACEHOLDER)

    header = bytearray(size)
    struct.pack_into("<I4s", header, 0, table, b"TFL3")
    struct.pack_into("<12H", header, 8, 4 + 2 * len(layout), 4 * (1 + len(present)), *layout)
    struct.pack_into("<i", header, table, table - 8)
    new = {_BUFFERS: buffer_list, _METADATA: metadata_list}
    for field in present:
        at = table + layout[field]
        target = new[field] if field in new else size + root.target(field)
        struct.pack_into("<I", header, at, target - at if field else root.number(field))
    _put_list(header, metadata_list, [*(size + position for position in metadata), entry])
    _put_list(header, buffer_list, [*(size + position for position in buffers), buffer])
    struct.pack_into("<4HiII", header, entry - 8, 8, 12, 4, 8, 8, text - (entry + 4), len(buffers))
    struct.pack_into(f"<I{len(name)}s", header, text, len(name), name)
    struct.pack_into("<3HxxiI", header, buffer - 8, 6, 8, 4, 8, key - 4 - (buffer + 4))
    struct.pack_into("<I64s", header, key - 4, len(BUILD_KEY_PLACEHOLDER), BUILD_KEY_PLACEHOLDER)
    return bytes(header), key


def _put_list(header: bytearray, position: int, targets: Sequence[int]) -> None:
    begin = position + 4
    entries = (target - (begin + 4 * number) for number, target in enumerate(targets))
    struct.pack_into(f"<I{len(targets)}I", header, position, len(targets), *entries)


def _buffers_behind(data: bytes | mmap, buffers: Sequence[int]) -> Iterator[Correction]:
    """Offsets of buffers whose content lies behind the flatbuffer; there are many, so it reads them by hand."""
    for position in buffers:
        fields = _Table.at(data, position).fields
        if len(fields) > 1 and fields[1]:
            (offset,) = struct.unpack_from("<Q", data, fields[1])
            if offset > 1:
                yield Correction(fields[1], "<Q", offset)


def _options_behind(model: Any) -> Iterator[Correction]:
    """Offsets of options of custom operators that lie behind the flatbuffer."""
    for index in range(model.SubgraphsLength()):
        subgraph = model.Subgraphs(index)
        for at in range(subgraph.OperatorsLength()):
            operator = subgraph.Operators(at)
            if operator.LargeCustomOptionsOffset() > 1:
                table = operator._tab
                position = table.Pos + table.Offset(4 + 2 * _LARGE_OPTIONS)
                yield Correction(position, "<Q", operator.LargeCustomOptionsOffset())


def _aligned(position: int, alignment: int) -> int:
    return -(-position // alignment) * alignment
