"""Names, dtypes and shapes of the tensors in a graph or in a function, as far as its nodes say."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import tensorflow as tf
from tensorflow.python.framework import op_def_registry


def tensor_specs(nodes: Iterable[Any], arguments: Iterable[tuple[str, int, Any]], *, flat: bool) -> dict[str, Any]:
    """A `tf.TensorSpec` for each tensor by the name that inputs use.

    Args:
        nodes: of the graph or function.
        arguments: of the function: name, dtype number and `_output_shapes`.
        flat: whether tensors go by the number of the output (in graphs) or by the output's name (in functions).
    """
    specs = {name: _spec(dtype, shapes, 0) for name, dtype, shapes in arguments}
    for node in nodes:
        shapes = node.attr.get("_output_shapes")
        for at, (name, dtype) in enumerate(_outputs(node)):
            spec = _spec(dtype, shapes, at)
            if flat:
                specs[f"{node.name}:{at}"] = spec
                specs.setdefault(node.name, spec)
            else:
                specs[f"{node.name}:{name}"] = spec
    return specs


def output_names(node: Any) -> list[str]:
    """Names of a node's outputs inside a function, `y:0` ..., in their order."""
    return [name for name, _ in _outputs(node)]


def output_types(node: Any) -> list[int]:
    """Dtype numbers of a node's outputs."""
    return [dtype for _, dtype in _outputs(node)]


def input_types(node: Any) -> list[int]:
    """Dtype numbers of a node's inputs."""
    return [dtype for _, dtype in _expanded(node, "input_arg")]


def attributes(node: Any) -> dict[str, Any]:
    """A node's attributes with the defaults of its operator, which files may leave out, without internal ones."""
    definition = op_def_registry.get(node.op)
    defaults = definition.attr if definition is not None else ()
    return {
        **{attribute.name: attribute.default_value for attribute in defaults if attribute.HasField("default_value")},
        **{name: value for name, value in node.attr.items() if not name.startswith("_")},
    }


def _outputs(node: Any) -> Iterator[tuple[str, int]]:
    return _expanded(node, "output_arg")


def _expanded(node: Any, kind: str) -> Iterator[tuple[str, int]]:
    """Name and dtype number of each tensor behind a node's arguments of a kind."""
    definition = op_def_registry.get(node.op)
    if definition is None:
        return  # a function that is called by its name: nobody knows its tensors here
    given = attributes(node)
    for argument in getattr(definition, kind):
        if argument.type_list_attr:
            types = list(given[argument.type_list_attr].list.type)
        else:
            count = given[argument.number_attr].i if argument.number_attr else 1
            types = [argument.type or given[argument.type_attr].type] * count
        yield from ((f"{argument.name}:{at}", dtype) for at, dtype in enumerate(types))


def _spec(dtype: int, shapes: Any, at: int) -> Any:
    known = shapes is not None and at < len(shapes.list.shape)
    return tf.TensorSpec(tf.TensorShape(shapes.list.shape[at]) if known else None, tf.as_dtype(dtype))
