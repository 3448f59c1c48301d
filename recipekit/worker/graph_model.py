"""A GraphDef as a FloatModel: what lies between named inputs and outputs, everything else left out.

Graphs of TensorFlow 1 are cut like this: a tensor that is fed needs nothing of what would have computed it, so decoders
and queues in front of a model never run. Where a graph comes from is not this module's business.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import tensorflow as tf
from tensorflow.core.framework import graph_pb2

from recipekit.contracts import TensorSpec
from recipekit.errors import SourceError, first_line
from recipekit.nearest import did_you_mean
from recipekit.worker.float_model import FloatModel
from recipekit.worker.named_tensors import Tensors, tensor_spec

_PLACEHOLDER = "Placeholder"
_VARIABLES = frozenset({"AutoReloadVariable", "VarHandleOp", "Variable", "VariableV2"})

Shape = tuple[int | None, ...]


@dataclass(frozen=True)
class NamedGraph:
    """A GraphDef whose tensors are looked up by name.

    Attributes:
        definition: the GraphDef.
        graph: the same, imported.
        where: the file or folder that it was read from.
    """

    definition: Any
    graph: Any
    where: str

    def tensor(self, name: str) -> Any:
        """A tensor by its name, or the first output of an operator by the operator's.

        Raises:
            SourceError: the graph has no such tensor; nearest names, placeholders and ends are in the message.
        """
        try:
            return self.graph.get_tensor_by_name(name if ":" in name else f"{name}:0")
        except (KeyError, ValueError):
            known = [operator.name for operator in self.graph.get_operations() if operator.outputs]
            raise SourceError(
                f"has no tensor '{name}'{did_you_mean(name.partition(':')[0], known)}",
                where=self.where,
                fix=f"its placeholders are {_listed(self._placeholders())}; it ends in {_listed(self._ends())}",
            ) from None

    def _placeholders(self) -> list[str]:
        return [operator.name for operator in self.graph.get_operations() if operator.type == _PLACEHOLDER]

    def _ends(self) -> list[str]:
        """Operators whose results nothing uses: what a graph computes, as a rule."""
        return [
            operator.name
            for operator in self.graph.get_operations()
            if operator.outputs and not any(tensor.consumers() for tensor in operator.outputs)
        ]


def open_graph(definition: Any, where: str) -> NamedGraph:
    """Imports a GraphDef.

    Raises:
        SourceError: TensorFlow can't import it: an operator is unknown to it, or nodes contradict each other.
    """
    graph = tf.Graph()
    try:
        with graph.as_default():
            tf.graph_util.import_graph_def(definition, name="")
    except Exception as error:
        raise SourceError(
            f"holds a graph that TensorFlow {tf.__version__} can't import: {first_line(error)}",
            where=where,
            fix="export it with operators of TensorFlow itself; those of tf.contrib are gone with TensorFlow 1",
        ) from error
    return NamedGraph(definition, graph, where)


@dataclass(frozen=True)
class Cut:
    """What computes some tensors of a graph from others.

    Attributes:
        definition: the GraphDef of that alone.
        inputs: names of the fed tensors, by input name.
        outputs: names of the wanted tensors, by output name.
        idle: names of the inputs that no output depends on.
    """

    definition: Any
    inputs: Mapping[str, str]
    outputs: Mapping[str, str]
    idle: tuple[str, ...]


def cut(named: NamedGraph, inputs: Mapping[str, str], outputs: Mapping[str, str]) -> Cut:
    """Leaves out all of a graph that its outputs don't need.

    Args:
        named: the whole graph.
        inputs: names of the tensors that are fed, by input name.
        outputs: names of the tensors that are wanted, by output name.

    Raises:
        SourceError: a tensor isn't there, or the outputs need a placeholder that isn't fed, or a variable.
    """
    fed = {name: named.tensor(tensor).name for name, tensor in inputs.items()}
    wanted = {name: named.tensor(tensor) for name, tensor in outputs.items()}
    operators, used = _reached(list(wanted.values()), frozenset(fed.values()))
    _refuse_unfed(named, operators)
    kept = graph_pb2.GraphDef(versions=named.definition.versions, library=named.definition.library)
    for node in named.definition.node:
        if node.name in operators:
            kept.node.add().CopyFrom(node)
            kept.node[-1].attr.pop("_class", None)  # a place beside another operator, which may be cut off
    idle = tuple(name for name, tensor in fed.items() if tensor not in used)
    return Cut(kept, fed, {name: tensor.name for name, tensor in wanted.items()}, idle)


def from_graph(part: Cut, inputs: tuple[TensorSpec, ...], loader: str, reason: str) -> FloatModel:
    """The FloatModel of a graph without variables.

    Args:
        part: of the graph.
        inputs: the specs of its inputs.
        loader: what read the source.
        reason: why that one.
    """
    fetched = list(part.outputs.values())

    def forward(tensors: Tensors) -> Tensors:
        fed = {part.inputs[name]: tensor for name, tensor in tensors.items() if name not in part.idle}
        found = tf.graph_util.import_graph_def(part.definition, input_map=fed, return_elements=fetched, name="")
        return dict(zip(part.outputs, found, strict=True))

    return FloatModel(forward, inputs, None, loader, reason, _parameters(part.definition))


def narrowed(name: str, tensor: Any, shape: Shape, where: str) -> TensorSpec:
    """The spec of a fed tensor whose shape is given from outside.

    Raises:
        SourceError: the shape contradicts the graph's own.
    """
    if not tensor.shape.is_compatible_with(shape):
        raise SourceError(
            f"the shape {list(shape)} of the input '{name}' contradicts the graph's own {tensor.shape}",
            where=where,
            fix="correct it in source.inputs; null leaves a dimension open",
        )
    return tensor_spec(name, tf.TensorSpec(shape, tensor.dtype))


def _reached(wanted: list[Any], fed: frozenset[str]) -> tuple[set[str], set[str]]:
    """Names of the operators that tensors depend on, up to fed tensors, and the fed tensors that were met."""
    operators: set[str] = set()
    used: set[str] = set()
    pending = []

    def need(tensor: Any) -> None:
        if tensor.name in fed:
            used.add(tensor.name)
        else:
            pending.append(tensor.op)

    for tensor in wanted:
        need(tensor)
    while pending:
        operator = pending.pop()
        if operator.name not in operators:
            operators.add(operator.name)
            pending.extend(operator.control_inputs)
            for tensor in operator.inputs:
                need(tensor)
    return operators, used


def _refuse_unfed(named: NamedGraph, operators: set[str]) -> None:
    for node in named.definition.node:
        if node.name in operators and node.op == _PLACEHOLDER:
            raise SourceError(
                f"its outputs depend on the placeholder '{node.name}', which is no input",
                where=named.where,
                fix="add it to the inputs, or name tensors behind it as inputs",
            )
        if node.name in operators and node.op in _VARIABLES:
            raise SourceError(
                f"is not frozen: the outputs depend on the variable '{node.name}', whose value is elsewhere",
                where=named.where,
                fix="freeze the graph together with its checkpoint, or export a SavedModel",
            )


def _parameters(definition: Any) -> int:
    """Number of values in the graph's floating-point constants."""
    tensors = [node.attr["value"].tensor for node in definition.node if node.op == "Const"]
    return sum(
        math.prod(size.size for size in tensor.tensor_shape.dim)
        for tensor in tensors
        if tf.as_dtype(tensor.dtype).is_floating
    )


def _listed(names: list[str]) -> str:
    return ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "") if names else "none"
