"""A SavedModel as a `Description`: its `saved_model.pb` is read, and no loader sees the folder.

Variables are counted by the operators that hold them, so their values stay on disk. A signature's inputs and outputs
stand in the description by name; layers are what is left of them, the scopes of the variables' names.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import tensorflow as tf

from recipekit.contracts import Description, ForeignPart, ModelLayer, ModelSignature, ModelTensor
from recipekit.worker import lacking_kernels, saved_model_file
from recipekit.worker.graph_operators import nodes_behind

_HOLDS_A_VARIABLE = {"VarHandleOp", "Variable", "VariableV2"}
_STRUCTURE = {
    *_HOLDS_A_VARIABLE,
    *("Const", "Identity", "IdentityN", "NoOp", "PartitionedCall", "Placeholder", "ReadVariableOp"),
    "StatefulPartitionedCall",
}
"""Operators that compute nothing."""

_MOST_CONSTANTS = 2**40
_SERVING = "serving_default"


class _Variable(NamedTuple):
    name: str
    dtype: str
    parameters: int
    bytes: int


def describe(folder: Path) -> Description:
    """Reads the description of a SavedModel; nothing of it is loaded or run.

    Raises:
        SourceError: the folder is no SavedModel, can't be read, or has no signature.
    """
    saved_model = saved_model_file.read(folder)
    try:
        return _described(folder, saved_model)
    except (TypeError, ValueError) as error:  # a dtype that TensorFlow doesn't have
        raise saved_model_file.unreadable(folder, str(error)) from error


def _described(folder: Path, saved_model: Any) -> Description:
    graph = saved_model_file.serving_graph(saved_model)
    keys = saved_model_file.signature_keys(saved_model)
    saved_model_file.check_signature(folder, saved_model, keys[0] if keys else _SERVING)
    keys.sort(key=lambda key: (key != _SERVING, key))
    outputs = [tensor.name for key in keys for tensor in graph.signature_def[key].outputs.values()]
    nodes = nodes_behind(graph.graph_def, outputs)
    operators = Counter(node.op for node in nodes if node.op not in _STRUCTURE)
    variables = list(dict.fromkeys(_variables(nodes)))
    touching = sorted(saved_model_file.system_access(saved_model))
    version = graph.meta_info_def.tensorflow_version
    signatures = tuple(_signature(key, graph.signature_def[key]) for key in keys)
    return Description(
        kind="saved_model",
        format="SavedModel",
        size=sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()),
        written_by=f"TensorFlow {version}" if version else "",
        loader="saved_model" if saved_model_file.has_objects(saved_model) else "saved_model_v1",
        reason=_reason(saved_model),
        signatures=signatures,
        layers=tuple(_layers(variables)),
        operators=dict(sorted(operators.items())),
        foreign=tuple(
            ForeignPart(name=op, path=op, what="an operator that reads or writes files or runs code") for op in touching
        ),
        needs_select_tf_ops=tuple(sorted(operators.keys() & lacking_kernels.OPERATORS)),
        recurrent=tuple(sorted(op for op in operators if op in {"While", "StatelessWhile", "TensorListReserve"})),
        task=_task(operators, signatures[0]),
        parameters=sum(variable.parameters for variable in variables) + sum(map(_constants, nodes)),
        bytes=sum(variable.bytes for variable in variables) + sum(4 * _constants(node) for node in nodes),
    )


def _reason(saved_model: Any) -> str:
    if not saved_model_file.has_objects(saved_model):
        return "TensorFlow 1 wrote it, so its graph is read alone"
    if saved_model_file.saved_by_keras_2(saved_model):
        return "it holds objects of Keras 2, for which tf_keras is imported before TensorFlow's own loader reads it"
    return "TensorFlow's own loader reads it"


def _signature(key: str, definition: Any) -> ModelSignature:
    return ModelSignature(
        key=key,
        inputs=tuple(_tensor(name, definition.inputs[name]) for name in sorted(definition.inputs)),
        outputs=tuple(_tensor(name, definition.outputs[name]) for name in sorted(definition.outputs)),
    )


def _tensor(name: str, info: Any) -> ModelTensor:
    shape = None if info.tensor_shape.unknown_rank else tuple(int(size.size) for size in info.tensor_shape.dim)
    return ModelTensor(name=name, dtype=_dtype(info.dtype).name, shape=shape)


def _dtype(number: int) -> Any:
    return tf.dtypes.as_dtype(number)


def _variables(nodes: Iterable[Any]) -> Iterator[_Variable]:
    """Variables, each as often as the graph opens it: by the name that all its handles share."""
    for node in nodes:
        if node.op in _HOLDS_A_VARIABLE and not node.attr["shape"].shape.unknown_rank:
            shape = [size.size for size in node.attr["shape"].shape.dim]
            dtype = _dtype(node.attr["dtype"].type)
            count = math.prod(shape) if all(size >= 0 for size in shape) else 0
            name = node.attr["shared_name"].s.decode(errors="replace") or node.name
            yield _Variable(name, dtype.name, count, count * int(dtype.size))


def _constants(node: Any) -> int:
    """How many floats a constant holds: the weights of a frozen graph."""
    if node.op != "Const" or node.attr["dtype"].type != tf.float32.as_datatype_enum:
        return 0
    sizes = [size.size for size in node.attr["value"].tensor.tensor_shape.dim]
    count = math.prod(sizes)
    return count if sizes and 0 < count < _MOST_CONSTANTS else 0


def _layers(variables: Iterable[_Variable]) -> Iterator[ModelLayer]:
    """Variables by the scope that their names begin with."""
    scopes: dict[str, list[_Variable]] = {}
    for variable in variables:
        scopes.setdefault(variable.name.rpartition("/")[0] or variable.name, []).append(variable)
    for scope, held in scopes.items():
        yield ModelLayer(
            name=scope,
            kind="",
            parameters=sum(variable.parameters for variable in held),
            bytes=sum(variable.bytes for variable in held),
            dtypes=tuple(sorted({variable.dtype for variable in held})),
        )


def _task(operators: Iterable[str], signature: ModelSignature) -> str:
    shapes = [tensor.shape for tensor in signature.outputs if tensor.shape is not None]
    scores = any(len(shape) == 2 and shape[1] > 1 for shape in shapes)
    return "classification" if scores and "Softmax" in set(operators) else ""
