"""A Keras model of either generation as a FloatModel: every input and output by its own name.

Keras flattens mappings of inputs in alphabetical order and gives outputs in an order of its own, so tensors are packed
into the model's own structure here, leaf by named leaf. This module reads no files.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import keras
import tensorflow as tf

from recipekit.contracts import FirstLayer, TensorSpec
from recipekit.errors import SourceError
from recipekit.worker.float_model import FloatModel
from recipekit.worker.keras_scaling import first_layers
from recipekit.worker.layer_scopes import LayerScopes
from recipekit.worker.layers import generation
from recipekit.worker.mixed_precision import float32_twin
from recipekit.worker.named_tensors import Tensors, name_outputs, tensor_spec
from recipekit.worker.recurrent import find


@dataclass(frozen=True)
class _Interface:
    """How a model is called: its input specs, what makes its arguments and names its outputs, its own scaling."""

    inputs: tuple[TensorSpec, ...]
    arguments: Callable[[Tensors], list[Any]]
    outputs: tuple[str, ...] | None
    first_layers: tuple[FirstLayer, ...] = ()


def start_session(seed: int) -> None:
    """Makes what is built next independent of what this process built before: automatic names and random numbers."""
    for package in ("keras", "tf_keras"):
        module = sys.modules.get(package)
        if module is not None:
            module.backend.clear_session()
            module.utils.set_random_seed(seed)


def is_keras_model(model: object) -> bool:
    """Whether an object is a model of either Keras."""
    package = generation(model)
    return package is not None and isinstance(model, sys.modules[package].Model)


def from_keras(model: Any, loader: str, reason: str, objects: Mapping[str, Any] | None = None) -> FloatModel:
    """The FloatModel of a built Keras model; of its float32 twin where it computes in a half type.

    Inputs go by the names of their input layers, those of a subclassed model by the parameters of its `call`. Outputs
    go by the names of their output layers, numbered where a layer gives several; a mapping of outputs keeps its keys.

    Args:
        model: the model.
        loader: what read the source.
        reason: why that one.
        objects: classes and functions that the model's configuration may name, besides those registered with Keras.

    Raises:
        SourceError: the model isn't built, or its inputs can't be named.
        CustomLayerError: it computes in a half type and has no float32 twin.
    """
    model, note = float32_twin(model, objects or {})
    interface = _functional(model) if getattr(model, "inputs", None) else _subclassed(model)
    _check_names(interface.inputs)
    options = {"training": False} if "training" in inspect.signature(model.call).parameters else {}
    flatten = _tree(model).flatten
    scopes = LayerScopes(model)

    def forward(tensors: Tensors) -> Tensors:
        with scopes.recorded():
            outputs = model(*interface.arguments(tensors), **options)
        if isinstance(outputs, Mapping) or interface.outputs is None:
            named = name_outputs(outputs)
        else:
            named = dict(zip(interface.outputs, flatten(outputs), strict=True))
        scopes.note_outputs(named)
        return named

    return FloatModel(
        forward,
        interface.inputs,
        model,
        loader,
        reason + note,
        int(model.count_params()),
        first_layers=interface.first_layers,
        recurrent=find(model),
        layers=scopes.layers,
    )


def _tree(model: Any) -> Any:
    return keras.tree if generation(model) == "keras" else tf.nest


def _functional(model: Any) -> _Interface:
    """Functional and sequential models know their tensors."""
    tree = _tree(model)
    sequential = isinstance(model, sys.modules[str(generation(model))].Sequential)
    structure = model.inputs[0] if sequential else model.input
    tensors = tree.flatten(structure)
    names = [_layer_name(tensor) for tensor in tensors]

    def arguments(named: Tensors) -> list[Any]:
        return [tree.pack_sequence_as(structure, [named[name] for name in names])]

    specs = tuple(tensor_spec(name, tensor) for name, tensor in zip(names, tensors, strict=True))
    scaling = first_layers(model, dict(zip(names, tensors, strict=True)))
    return _Interface(specs, arguments, _numbered([_layer_name(tensor) for tensor in model.outputs]), scaling)


def output_names(model: Any) -> tuple[str, ...]:
    """What the FloatModel of a functional or sequential model calls its outputs, in the order of `model.outputs`."""
    structure = None if isinstance(model, sys.modules[str(generation(model))].Sequential) else model.output
    if isinstance(structure, Mapping):
        return tuple(str(key) for key in sorted(structure))
    return _numbered([_layer_name(tensor) for tensor in model.outputs])


def _layer_name(tensor: Any) -> str:
    """Name of the layer that gave a symbolic tensor; the tensor's own name in Keras 3 is a counter of the process."""
    history = tensor._keras_history
    return str((history.operation if hasattr(history, "operation") else history.layer).name)


def _numbered(names: list[str]) -> tuple[str, ...]:
    """Names made unique as Keras 2 does it: `dense`, `dense_1` ..."""
    unique: list[str] = []
    for name in names:
        candidate, count = name, 0
        while candidate in unique or (count and candidate in names):
            count += 1
            candidate = f"{name}_{count}"
        unique.append(candidate)
    return tuple(unique)


def _subclassed(model: Any) -> _Interface:
    """Subclassed models know only what they were built or called with."""
    if generation(model) == "tf_keras":
        return _called(model)
    if not model.built or not all(layer.built for layer in model.layers):
        raise _no_signature(model)  # such layers have no weights yet; Keras loads the file all the same
    config = model.get_build_config() or {}
    parameter = next(iter(inspect.signature(model.call).parameters))
    shape = config.get("input_shape")
    if isinstance(shape, Mapping):
        shapes, by_key = dict(shape), True
    else:
        several = {name.removesuffix("_shape"): each for name, each in config.get("shapes_dict", {}).items()}
        shapes, by_key = several or {parameter: shape}, False
    if not all(_is_shape(each) for each in shapes.values()):
        raise _no_signature(model)

    def arguments(named: Tensors) -> list[Any]:
        ordered = {name: named[name] for name in shapes}
        return [ordered] if by_key else list(ordered.values())

    specs = [tensor_spec(name, tf.TensorSpec((None, *each[1:]), model.input_dtype)) for name, each in shapes.items()]
    return _Interface(tuple(specs), arguments, None)


def _called(model: Any) -> _Interface:
    """A subclassed model of Keras 2 keeps the specs of its first call."""
    spec = model.save_spec()
    if spec is None:
        raise _no_signature(model)
    arguments, _ = spec
    leaves = tf.nest.flatten(arguments)
    names = [str(leaf.name) for leaf in leaves]

    def pack(named: Tensors) -> list[Any]:
        return list(tf.nest.pack_sequence_as(arguments, [named[name] for name in names]))

    return _Interface(tuple(tensor_spec(name, leaf) for name, leaf in zip(names, leaves, strict=True)), pack, None)


def _is_shape(shape: object) -> bool:
    return isinstance(shape, list | tuple) and all(size is None or isinstance(size, int) for size in shape)


def _check_names(inputs: tuple[TensorSpec, ...]) -> None:
    names = [spec.name for spec in inputs]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise SourceError(f"the model has two inputs named '{twice}'", fix="give each input layer a name of its own")


def _no_signature(model: Any) -> SourceError:
    return SourceError(
        f"the inputs of the model '{model.name}' ({type(model).__name__}) are not known",
        fix="build it from keras.Input tensors, or call it once on a tensor for each argument before it is saved",
    )
