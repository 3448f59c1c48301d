"""Frozen graphs of TensorFlow 1: a GraphDef, binary or as text, whose weights are constants."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from google.protobuf import text_format
from google.protobuf.message import DecodeError
from tensorflow.core.framework import graph_pb2

from recipekit.contracts import ModelSpec
from recipekit.errors import SourceError
from recipekit.worker.float_model import FloatModel
from recipekit.worker.graph_model import Cut, cut, from_graph, narrowed, open_graph
from recipekit.worker.graph_operators import refuse, system_access


def load(spec: ModelSpec) -> FloatModel:
    """Loads what computes `outputs` from `inputs`; both are named as operators (`logits`) or tensors (`logits:0`).

    Raises:
        SourceError: the file is missing or no GraphDef, a name or shape doesn't fit it, or it isn't frozen.
        UnsafeSource: what is loaded reads or writes files or runs code, and `allow_unsafe` is false.
    """
    source = spec.source
    graph = open_graph(_read(Path(source.path)), source.path)
    part = cut(graph, {name: name for name in source.inputs}, {name: name for name in source.outputs})
    _check_inputs(part, source.path)
    touching = system_access(part.definition)
    if not source.allow_unsafe:
        refuse(touching, source.path)
    inputs = tuple(narrowed(name, graph.tensor(name), shape, source.path) for name, shape in source.inputs.items())
    kept = f"{len(part.definition.node)} of its {len(graph.definition.node)} operators lie between inputs and outputs"
    model = from_graph(part, inputs, "frozen_graph", f"the file is a frozen graph; {kept}")
    return replace(model, unsafe_parts=(f"its graph holds {', '.join(sorted(touching))}",) if touching else ())


def _read(path: Path) -> Any:
    """The GraphDef of a file, whatever its name ends in."""
    if not path.is_file():
        what = "is not a file" if path.exists() else "there is no such file"
        raise SourceError(what, where=str(path), fix="correct source.path or source.kind")
    if path.name == "saved_model.pb":
        raise SourceError(
            "belongs to a SavedModel", where=str(path), fix="set source.kind: saved_model and name its folder"
        )
    data = path.read_bytes()
    definition = _from_binary(data) or _from_text(data)
    if definition is None or not definition.node:
        raise SourceError(
            "is not a readable GraphDef" if definition is None else "holds a graph without operators",
            where=str(path),
            fix="copy or freeze it again; it may be cut off, or another kind of file",
        )
    return definition


def _from_binary(data: bytes) -> Any:
    try:
        return graph_pb2.GraphDef.FromString(data)
    except DecodeError:
        return None


def _from_text(data: bytes) -> Any:
    try:
        return text_format.Parse(data, graph_pb2.GraphDef())
    except (text_format.ParseError, UnicodeDecodeError):
        return None


def _check_inputs(part: Cut, where: str) -> None:
    tensors = list(part.inputs.values())
    twice = next((tensor for tensor in tensors if tensors.count(tensor) > 1), None)
    if twice is not None:
        raise SourceError(f"two inputs name the tensor '{twice}'", where=where, fix="name each tensor once")
    if part.idle:
        raise SourceError(
            f"its outputs don't depend on the input '{part.idle[0]}'",
            where=where,
            fix="take it out of source.inputs, or name the outputs that depend on it",
        )
