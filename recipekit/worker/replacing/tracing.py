"""An equivalent of an operator as functions of a graph, traced for the inputs and attributes of one node."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import tensorflow as tf

from recipekit.errors import CustomLayerError
from recipekit.worker.replacing.node_outputs import attributes, output_types
from recipekit.worker.user_code import guarded


class Traced(NamedTuple):
    """An equivalent of a node.

    Attributes:
        name: of the function that a call names.
        functions: that one and those that it calls.
        output_types: dtype numbers.
        stateful: whether it does more than compute.
    """

    name: str
    functions: list[Any]
    output_types: list[int]
    stateful: bool


def trace(node: Any, inputs: list[Any], equivalent: Callable[..., Any], name: str) -> Traced:
    """Traces an equivalent.

    Args:
        node: what it stands for.
        inputs: a `tf.TensorSpec` for each input.
        equivalent: takes tensors, and attributes by name.
        name: of the function; the functions that it calls begin with it.

    Raises:
        CustomLayerError: it gives other dtypes or numbers of outputs than the node, or holds values of its own.
        PluginError: it failed.
    """
    settings = _settings(node, equivalent)

    def call(*tensors: Any) -> list[Any]:
        return [tf.identity(output) for output in tf.nest.flatten(equivalent(*tensors, **settings))]

    with guarded(f"the replacement of {node.op} ('{node.name}')"):
        function = tf.function(call, autograph=False).get_concrete_function(*inputs)
    given = [output.dtype.as_datatype_enum for output in function.outputs]
    if given != output_types(node):
        raise _unfit(node, f"gives {_listed(given)}, and the operator {_listed(output_types(node))}")
    if function.captured_inputs:
        raise _unfit(node, "holds a variable, or a large tensor, that was made outside of it")
    own = copy.deepcopy(function.function_def)
    called = [copy.deepcopy(each) for each in function.graph.as_graph_def().library.function]
    names = {own.signature.name: name, **{each.signature.name: f"{name}_{each.signature.name}" for each in called}}
    for each in (own, *called):
        _rename(each, names)
    return Traced(name, [own, *called], given, bool(own.signature.is_stateful))


def _settings(node: Any, equivalent: Callable[..., Any]) -> dict[str, Any]:
    """The node's attributes that the equivalent has parameters for, or all where it takes any."""
    parameters = inspect.signature(equivalent).parameters.values()
    names = {parameter.name for parameter in parameters if parameter.kind is not parameter.POSITIONAL_ONLY}
    every = any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters)
    return {name: _value(value) for name, value in sorted(attributes(node).items()) if every or name in names}


def _value(value: Any) -> Any:
    """An attribute in Python's terms: numbers, text, `tf.DType`, `tf.TensorShape`, arrays, and lists of them."""
    kind = value.WhichOneof("value")
    if kind == "list":
        (field,) = [each for each, _ in value.list.ListFields()] or [None]
        return [_single(field.name, item) for item in getattr(value.list, field.name)] if field else []
    return _single(kind, getattr(value, kind)) if kind else None


def _single(kind: str, item: Any) -> Any:
    converted: Mapping[str, Callable[[Any], Any]] = {
        "s": lambda text: text.decode(),
        "type": tf.as_dtype,
        "shape": tf.TensorShape,
        "tensor": tf.make_ndarray,
    }
    return converted.get(kind, lambda given: given)(item)


def _rename(function: Any, names: Mapping[str, str]) -> None:
    function.signature.name = names[function.signature.name]
    for node in function.node_def:
        for value in node.attr.values():
            for called in [value.func, *value.list.func]:
                if called.name in names:
                    called.name = names[called.name]


def _listed(types: list[int]) -> str:
    return ", ".join(tf.as_dtype(dtype).name for dtype in types) or "nothing"


def _unfit(node: Any, why: str) -> CustomLayerError:
    return CustomLayerError(
        f"the replacement of the operator {node.op} ('{node.name}') {why}",
        where=f"custom_layers.replace.{node.op}",
        fix="return tensors of the operator's own dtypes in its order, and make constants inside of the function",
    )
