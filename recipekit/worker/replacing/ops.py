"""Operators of a written SavedModel, each node of one type replaced by a call of a function.

Nodes stand in the graph itself and in the functions that it calls, loops and branches among them. A node becomes a
`PartitionedCall` of the equivalent, traced for the node's own dtypes and shapes, which the converter inlines. The
checkpoint and the signature stay as they are.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import tensorflow as tf
from tensorflow.core.framework import attr_value_pb2, function_pb2, node_def_pb2
from tensorflow.core.protobuf import saved_model_pb2

from recipekit.worker.replacing.node_outputs import input_types, output_names, tensor_specs
from recipekit.worker.replacing.tracing import Traced, trace


class Operators:
    """The operators behind one signature of a SavedModel.

    Attributes:
        names: their TensorFlow types.
    """

    def __init__(self, path: Path, saved_model: Any, signature_key: str) -> None:
        self._path = path
        self._saved_model = saved_model
        (meta_graph, *_) = saved_model.meta_graphs
        self._graph = meta_graph.graph_def
        self._nodes, self._functions = _reachable(self._graph, meta_graph.signature_def[signature_key])
        self._traced: dict[bytes, Traced] = {}
        self.names = {node.op for nodes in self._bodies() for node in nodes}

    @classmethod
    def read(cls, folder: Path, signature_key: str) -> Operators:
        """Reads a SavedModel's graph.

        Args:
            folder: of the SavedModel.
            signature_key: of the signature.
        """
        path = folder / "saved_model.pb"
        return cls(path, saved_model_pb2.SavedModel.FromString(path.read_bytes()), signature_key)

    def replace(self, name: str, equivalent: Callable[..., Any]) -> tuple[str, ...]:
        """Replaces every node of a type.

        Args:
            name: the type.
            equivalent: takes the node's inputs, and by name those of its attributes that it has parameters for.

        Returns:
            Names of the replaced nodes, sorted.

        Raises:
            CustomLayerError: the equivalent gives other dtypes or numbers of outputs, or holds values of its own.
            PluginError: it failed.
        """
        replaced = [*self._in_graph(name, equivalent)]
        for function in self._functions:
            replaced += self._in_function(function, name, equivalent)
        return tuple(sorted(replaced))

    def write(self) -> None:
        """Writes the SavedModel back, with the functions that the replaced nodes call."""
        for traced in self._traced.values():
            self._graph.library.function.extend(traced.functions)
        self._path.write_bytes(self._saved_model.SerializeToString(deterministic=True))
        self._path.with_name("fingerprint.pb").unlink(missing_ok=True)  # of the graph as it was

    def _bodies(self) -> Iterator[Any]:
        yield self._nodes
        yield from (function.node_def for function in self._functions)

    def _in_graph(self, name: str, equivalent: Callable[..., Any]) -> Iterator[str]:
        specs = tensor_specs(self._graph.node, (), flat=True)
        for node in self._nodes:
            if node.op == name:
                self._call(node, equivalent, specs)
                yield node.name

    def _in_function(
        self, function: function_pb2.FunctionDef, name: str, equivalent: Callable[..., Any]
    ) -> Iterator[str]:
        matched = [node for node in function.node_def if node.op == name]
        if not matched:
            return
        specs = tensor_specs(function.node_def, _arguments(function), flat=False)
        renamed: dict[str, str] = {}
        for node in matched:
            renamed |= {
                f"{node.name}:{output}": f"{node.name}:output:{at}" for at, output in enumerate(output_names(node))
            }
            self._call(node, equivalent, specs)
            yield node.name
        for node in function.node_def:
            node.input[:] = [renamed.get(tensor, tensor) for tensor in node.input]
        for key, tensor in function.ret.items():
            function.ret[key] = renamed.get(tensor, tensor)

    def _call(self, node: node_def_pb2.NodeDef, equivalent: Callable[..., Any], specs: dict[str, Any]) -> None:
        tensors = [tensor for tensor in node.input if not tensor.startswith("^")]
        inputs = [
            specs.get(tensor, tf.TensorSpec(None, tf.as_dtype(dtype)))
            for tensor, dtype in zip(tensors, input_types(node), strict=True)
        ]
        key = _key(node, inputs)
        if key not in self._traced:
            self._traced[key] = trace(node, inputs, equivalent, f"recipekit_replacement_{len(self._traced)}")
        traced = self._traced[key]
        shapes = copy.deepcopy(node.attr.get("_output_shapes"))
        node.op = "StatefulPartitionedCall" if traced.stateful else "PartitionedCall"
        node.attr.clear()
        node.attr["Tin"].list.type.extend(spec.dtype.as_datatype_enum for spec in inputs)
        node.attr["Tout"].list.type.extend(traced.output_types)
        node.attr["f"].func.name = traced.name
        if shapes is not None:
            node.attr["_output_shapes"].CopyFrom(shapes)


def _key(node: node_def_pb2.NodeDef, inputs: list[Any]) -> bytes:
    """What two nodes have in common that can call one function."""
    alike = node_def_pb2.NodeDef(op=node.op, input=[repr(spec) for spec in inputs])
    for name, value in node.attr.items():
        if not name.startswith("_"):
            alike.attr[name].CopyFrom(value)
    return bytes(alike.SerializeToString(deterministic=True))


def _arguments(function: function_pb2.FunctionDef) -> tuple[tuple[str, int, Any], ...]:
    """Name, dtype and `_output_shapes` of each argument of a function."""
    return tuple(
        (argument.name, argument.type, function.arg_attr[at].attr.get("_output_shapes"))
        for at, argument in enumerate(function.signature.input_arg)
    )


def _reachable(graph: Any, signature: Any) -> tuple[list[node_def_pb2.NodeDef], list[function_pb2.FunctionDef]]:
    """The nodes of the graph behind a signature, and the functions that they call, directly or not, in their order."""
    nodes = {node.name: node for node in graph.node}
    names = {_node(tensor.name) for tensor in signature.outputs.values()}
    pending = [nodes[name] for name in sorted(names)]
    while pending:
        sources = {_node(tensor) for tensor in pending.pop().input} - names
        names |= sources
        pending += [nodes[name] for name in sorted(sources)]
    reached = [node for name, node in nodes.items() if name in names]
    library = {function.signature.name: function for function in graph.library.function}
    called: set[str] = set()
    pending = list(reached)
    while pending:
        new = {name for name in _calls(pending.pop()) if name in library} - called
        called |= new
        pending += [node for name in new for node in library[name].node_def]
    return reached, [function for name, function in library.items() if name in called]


def _node(tensor: str) -> str:
    return tensor.removeprefix("^").partition(":")[0]


def _calls(node: node_def_pb2.NodeDef) -> Iterator[str]:
    yield node.op
    for value in node.attr.values():
        yield from (function.name for function in _functions_of(value))


def _functions_of(value: attr_value_pb2.AttrValue) -> Iterator[Any]:
    if value.WhichOneof("value") == "func":
        yield value.func
    yield from value.list.func
