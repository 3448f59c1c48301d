"""Everything that a `.tflite` file says of itself, read in Python without an interpreter.

The file may come from anywhere: damage and lies end in one error, and no length that it states is believed beyond what
the file could hold. It knows nothing of recipes and outputs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from math import isfinite
from pathlib import Path
from typing import Any

from ai_edge_litert import schema_py_generated as schema

from recipekit import digests
from recipekit.contracts import (
    BUILD_KEY_ENTRY,
    BUILD_KEY_PLACEHOLDER,
    FileMetadata,
    FileOperator,
    FileSignature,
    FileTensor,
    Inspection,
)
from recipekit.errors import SourceError
from recipekit.worker.flatbuffer_names import begins_as_one, decoded, dtype_of, operator_of

_LONGEST_TEXT = 200
_KEY = re.compile(rb"[0-9a-f]{64}")


def contents_of(path: Path) -> Inspection:
    """Reads a file.

    Raises:
        SourceError: it can't be read, is cut short, or isn't a `.tflite`.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise SourceError(f"can't be read: {error.strerror}", where=str(path), fix="name a readable file") from error
    if not begins_as_one(data):
        raise _unreadable(path, "it lacks the identifier TFL3")
    try:
        return _Contents(data).inspection()
    except Exception as error:
        raise _unreadable(path, "it is cut short or damaged") from error


def _unreadable(path: Path, why: str) -> SourceError:
    fix = "name a file that TensorFlow Lite's converter or recipekit wrote"
    return SourceError(f"is not a readable .tflite: {why}", where=str(path), fix=fix)


class _Contents:
    """One file, walked through the generated accessors, which check nothing by themselves."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._unread = len(data)
        self._digests: dict[int, str] = {}
        model = self._model = schema.Model.GetRootAs(data)
        self._sizes = [self._buffer_size(buffer) for buffer in self._items(model.BuffersLength, model.Buffers)]
        self._subgraphs = list(self._items(model.SubgraphsLength, model.Subgraphs))
        self._codes = list(self._items(model.OperatorCodesLength, model.OperatorCodes))
        self._tensors = [list(self._items(subgraph.TensorsLength, subgraph.Tensors)) for subgraph in self._subgraphs]

    def inspection(self) -> Inspection:
        model = self._model
        metadata = list(self._items(model.MetadataLength, model.Metadata))
        keys = [bytes(self._content(entry.Buffer())) for entry in metadata if decoded(entry.Name()) == BUILD_KEY_ENTRY]
        used = {tensor.Buffer() for tensors in self._tensors for tensor in tensors}
        return Inspection(
            sha256=digests.of_bytes(self._data),
            size=len(self._data),
            description=decoded(model.Description()),
            build_key=_build_key(keys),
            signatures=tuple(self._signatures()),
            operators=tuple(self._operators()),
            tensors=tuple(
                self._tensor(tensor, at, decoded(tensor.Name()))
                for at, tensors in enumerate(self._tensors)
                for tensor in tensors
            ),
            metadata=tuple(
                FileMetadata(name=decoded(entry.Name()), bytes=self._sizes[entry.Buffer()], text=_line(content))
                for entry, content in ((entry, bytes(self._content(entry.Buffer()))) for entry in metadata)
            ),
            subgraphs=len(self._subgraphs),
            constant_bytes=sum(self._sizes[buffer] for buffer in used),
        )

    def _items(self, length: Callable[[], int], get: Callable[[int], Any]) -> Iterator[Any]:
        """The entries of a vector, unless the file can't hold that many: then its length is damaged."""
        self._unread -= length()
        if self._unread < 0:
            raise ValueError("the vectors are longer than the file")
        return map(get, range(length()))

    def _numbers(self, length: Callable[[], int], get: Callable[[], Any]) -> tuple[Any, ...]:
        """The same of a vector of numbers, all at once: weights have a scale for each of very many channels."""
        self._unread -= length()
        if self._unread < 0:
            raise ValueError("the vectors are longer than the file")
        return tuple(get().tolist()) if length() else ()

    def _buffer_size(self, buffer: Any) -> int:
        behind = buffer.Offset() > 1
        size = int(buffer.Size() if behind else 0 if buffer.DataIsNone() else buffer.DataLength())
        begin = int(buffer.Offset()) if behind else 0
        if begin + size > len(self._data):
            raise ValueError("a buffer ends behind the file")
        return size

    def _content(self, index: int) -> memoryview:
        buffer = self._model.Buffers(index)
        if buffer.Offset() > 1:
            return memoryview(self._data)[buffer.Offset() : buffer.Offset() + buffer.Size()]
        return memoryview(b"" if buffer.DataIsNone() else buffer.DataAsNumpy()).cast("B")

    def _digest(self, index: int) -> str:
        """SHA-256 of a buffer's content, which several tensors may share; empty for an empty one."""
        if index not in self._digests:
            self._digests[index] = digests.of_bytes(self._content(index)) if self._sizes[index] else ""
        return self._digests[index]

    def _signatures(self) -> Iterator[FileSignature]:
        model = self._model
        signatures = list(self._items(model.SignatureDefsLength, model.SignatureDefs))
        for signature in signatures:
            at = signature.SubgraphIndex()
            named = partial(self._named, at)
            yield FileSignature(
                key=decoded(signature.SignatureKey()),
                subgraph=at,
                inputs=named(self._items(signature.InputsLength, signature.Inputs)),
                outputs=named(self._items(signature.OutputsLength, signature.Outputs)),
            )
        if not signatures:
            subgraph = self._subgraphs[0]
            inputs = self._items(subgraph.InputsLength, subgraph.Inputs)
            outputs = self._items(subgraph.OutputsLength, subgraph.Outputs)
            yield FileSignature(key="", subgraph=0, inputs=self._unnamed(inputs), outputs=self._unnamed(outputs))

    def _named(self, subgraph: int, entries: Iterator[Any]) -> tuple[FileTensor, ...]:
        tensors = self._tensors[subgraph]
        ports = (self._tensor(tensors[entry.TensorIndex()], subgraph, decoded(entry.Name())) for entry in entries)
        return tuple(sorted(ports, key=lambda port: port.name))

    def _unnamed(self, indices: Iterator[int]) -> tuple[FileTensor, ...]:
        tensors = [self._tensors[0][index] for index in indices]
        ports = (self._tensor(tensor, 0, decoded(tensor.Name())) for tensor in tensors)
        return tuple(sorted(ports, key=lambda port: port.name))

    def _operators(self) -> Iterator[FileOperator]:
        counted: set[int] = set()
        for at, subgraph in enumerate(self._subgraphs):
            tensors = self._tensors[at]
            for number, operator in enumerate(self._items(subgraph.OperatorsLength, subgraph.Operators)):
                code = self._codes[operator.OpcodeIndex()]
                name, kind = operator_of(code)
                inputs = list(self._items(operator.InputsLength, operator.Inputs))
                outputs = [tensors[index] for index in self._items(operator.OutputsLength, operator.Outputs)]
                buffers = {tensors[index].Buffer() for index in inputs if index >= 0} - counted
                counted |= buffers
                yield FileOperator(
                    subgraph=at,
                    op=name,
                    version=code.Version(),
                    kind=kind,
                    name=decoded(outputs[0].Name()) if outputs else str(number),
                    inputs=tuple(dtype_of(tensors[index]) if index >= 0 else "" for index in inputs),
                    outputs=tuple(map(dtype_of, outputs)),
                    bytes=sum(self._sizes[buffer] for buffer in buffers),
                )

    def _tensor(self, tensor: Any, subgraph: int, name: str) -> FileTensor:
        dynamic = tuple(self._items(tensor.ShapeSignatureLength, tensor.ShapeSignature))
        quantization = tensor.Quantization()
        scales: tuple[float, ...] = ()
        points: tuple[int, ...] = ()
        if quantization is not None:
            scales = self._numbers(quantization.ScaleLength, quantization.ScaleAsNumpy)
            points = self._numbers(quantization.ZeroPointLength, quantization.ZeroPointAsNumpy)
        if not all(map(isfinite, scales)):
            raise ValueError("a scale is not a number")
        return FileTensor(
            name=name,
            subgraph=subgraph,
            dtype=dtype_of(tensor),
            shape=dynamic or tuple(map(int, self._items(tensor.ShapeLength, tensor.Shape))),
            bytes=self._sizes[tensor.Buffer()],
            content=self._digest(tensor.Buffer()),
            sparse=tensor.Sparsity() is not None,
            scales=scales,
            zero_points=points[:1] if scales and len(set(points)) == 1 else points if scales else (),
        )


def _build_key(contents: Sequence[bytes]) -> str:
    """The one key of a published file; a candidate that isn't published yet has a placeholder instead."""
    (content,) = contents if len(contents) == 1 else (b"",)
    return content.decode() if _KEY.fullmatch(content) and content != BUILD_KEY_PLACEHOLDER else ""


def _line(content: bytes) -> str:
    """Content that is a line of text, padding left out; else nothing."""
    text = content.rstrip(b"\0")
    return text.decode("ascii") if len(text) <= _LONGEST_TEXT and text.isascii() and text.decode().isprintable() else ""
