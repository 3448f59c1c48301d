"""What a model file of any kind says of itself; a worker reads it, and nothing of it is loaded or run."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

from recipekit.audit.inspection import inspect
from recipekit.contracts import (
    DESCRIBE,
    DescribeRequest,
    Description,
    FileSignature,
    FileTensor,
    Inspection,
    ModelLayer,
    ModelSignature,
    ModelTensor,
    Record,
)
from recipekit.errors import UsageError
from recipekit.manifest import MODEL
from recipekit.nearest import neighbour
from recipekit.pool import Pool

_ENDINGS = {".keras": "keras", ".h5": "keras", ".hdf5": "keras", ".tflite": "tflite"}
_MAGIC = {b"PK\3\4": "keras", b"\x89HDF": "keras"}
_FLOATS = {"float32", "float64", "float16"}


class ModelReport(Record, frozen=True, kw_only=True):
    """A model that isn't a `.tflite` file.

    Attributes:
        schema: version of this shape.
        path: of the model, as the user named it.
        model: what it says of itself.
    """

    schema: int = 1
    path: str
    model: Description


def kind_of(path: Path) -> str:
    """What a path is, as `source.kind` names it: `keras`, `saved_model` or `tflite`.

    An output's folder is its `.tflite`. A file without a known ending is told by its first bytes.

    Raises:
        UsageError: there is no such file, or it is none of these.
    """
    if path.is_dir():
        kind = "saved_model" if (path / "saved_model.pb").is_file() else "tflite" if (path / MODEL).is_file() else ""
    elif path.is_file():
        kind = _ENDINGS.get(path.suffix.lower(), "") or _by_content(path)
    else:
        what = f"there is no such file or folder{neighbour(path)}"
        raise UsageError(what, where=str(path), fix="name a model")
    if kind:
        return kind
    if path.is_dir():
        what = f"holds neither saved_model.pb nor {MODEL}"
    elif path.suffix == ".pb":
        what = "is a graph without the names of its inputs and outputs, which only you know"
    else:
        what = "is no model that can be told by its name or content"
    raise UsageError(
        what,
        where=str(path),
        fix="name a SavedModel folder, a .keras, .h5 or .tflite file; docs/sources.md shows other sources",
    )


def describe(path: Path, pool: Pool) -> Description:
    """Reads a model.

    A SavedModel takes the worker with TensorFlow, which knows its format; others do without.

    Raises:
        UsageError: see `kind_of`.
        SourceError: it can't be read.
        StageDied, StageTimeout, StageMemory: the worker ended over it.
    """
    kind = kind_of(path)
    if kind == "tflite":
        return of_flatbuffer(inspect(path / MODEL if path.is_dir() else path, pool))
    stage = DESCRIBE.on("tensorflow") if kind == "saved_model" else DESCRIBE
    request = DescribeRequest(path=str(path.absolute()), kind=kind)
    with TemporaryDirectory(prefix="recipekit-") as folder:
        record = pool.run(stage, request, Path(folder) / "describe").record
    assert isinstance(record, Description)  # for type checkers: the stage gives no other
    return record


def of_flatbuffer(file: Inspection) -> Description:
    """The same of a `.tflite` file, as far as the two have something in common."""
    constants = [tensor for tensor in file.tensors if tensor.bytes]
    layers = [operator for operator in file.operators if operator.bytes]
    beyond = {operator.op for operator in file.operators if operator.kind != "builtin"}
    return Description(
        kind="tflite",
        format="TensorFlow Lite",
        size=file.size,
        written_by=file.description,
        loader="tflite",
        reason="ai-edge-quantizer and LiteRT read it, without TensorFlow",
        signatures=tuple(map(_signature, file.signatures)),
        layers=tuple(ModelLayer(name=it.name, kind=it.op, bytes=it.bytes) for it in layers),
        operators=dict(sorted(Counter(operator.op for operator in file.operators).items())),
        needs_select_tf_ops=tuple(sorted(beyond)),
        task="classification" if any(operator.op == "SOFTMAX" for operator in file.operators[-1:]) else "",
        parameters=sum(tensor.bytes // _width(tensor) for tensor in constants if tensor.dtype in _FLOATS),
        bytes=file.constant_bytes,
        quantized=any(tensor.scales for tensor in file.tensors),
    )


def _signature(signature: FileSignature) -> ModelSignature:
    return ModelSignature(
        key=signature.key,
        inputs=tuple(ModelTensor(name=it.name, dtype=it.dtype, shape=it.shape) for it in signature.inputs),
        outputs=tuple(ModelTensor(name=it.name, dtype=it.dtype, shape=it.shape) for it in signature.outputs),
    )


def _width(tensor: FileTensor) -> int:
    return {"float16": 2, "float64": 8}.get(tensor.dtype, 4)


def _by_content(path: Path) -> str:
    with path.open("rb") as stream:
        head = stream.read(8)
    return "tflite" if head[4:] == b"TFL3" else _MAGIC.get(head[:4], "")
