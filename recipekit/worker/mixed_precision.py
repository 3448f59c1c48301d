"""Keras models that compute in float16 or bfloat16: their twin that computes in float32 with the same weights.

TensorFlow Lite has no float16 kernels for convolutions and dense layers, so a model of a half or mixed dtype policy
can't be converted as it is. Layers that cast by themselves, whatever their policy, are beyond this module.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from typing import Any

import tensorflow as tf

from recipekit.errors import CustomLayerError, in_a_line
from recipekit.worker.layers import generation

_HALF = frozenset({"bfloat16", "float16", "mixed_bfloat16", "mixed_float16"})
_POLICIES = frozenset({"DTypePolicy", "Policy"})
_KEPT = frozenset({"InputLayer", "__keras_tensor__"})
"""Classes whose dtype says what a tensor is, not how a layer computes."""


def float32_twin(model: Any, objects: Mapping[str, Any]) -> tuple[Any, str]:
    """A model as TensorFlow Lite can have it.

    Args:
        model: a built model of either Keras.
        objects: classes and functions that its configuration may name, besides those registered with Keras.

    Returns:
        The model itself and an empty note, or its twin and what to tell the user about it.

    Raises:
        CustomLayerError: the twin can't be built from the model's configuration.
    """
    policies = sorted({layer.dtype_policy.name for layer in _layers(model)} & _HALF)
    if not policies:
        return model, ""
    try:
        twin = _rebuilt(model, {**{type(layer).__name__: type(layer) for layer in _layers(model)}, **objects})
        twin.set_weights(model.get_weights())
    except Exception as error:
        raise CustomLayerError(
            f"computes by the dtype policy {policies[0]}, which TensorFlow Lite can't, and its float32 twin can't be"
            f" built: {in_a_line(error)}",
            where=f"the model '{model.name}'",
            fix="give its classes a get_config() that names all they are made of, or build it with the policy float32",
        ) from error
    note = (
        f"; it computes by the dtype policy {' and '.join(policies)}, which TensorFlow Lite can't, so its float32 twin"
        " with the same weights is converted and compared"
    )
    return twin, note


def _layers(model: Any) -> Iterator[Any]:
    yield from model._flatten_layers()


def _rebuilt(model: Any, objects: Mapping[str, Any]) -> Any:
    package = str(generation(model))
    saving = sys.modules[package].saving
    config = _in_float32(saving.serialize_keras_object(model))
    twin = saving.deserialize_keras_object(config, custom_objects=dict(objects))
    if package == "tf_keras" and not getattr(twin, "inputs", None):
        arguments, _ = model.save_spec()  # a subclassed model of Keras 2 is built by its first call
        twin(*tf.nest.map_structure(lambda spec: tf.zeros([size or 1 for size in spec.shape], spec.dtype), arguments))
    return twin


def _in_float32(tree: Any) -> Any:
    """A copy of a configuration in which every half or mixed policy of a layer is float32."""
    if isinstance(tree, list | tuple):
        return type(tree)(_in_float32(child) for child in tree)
    if not isinstance(tree, dict):
        return tree
    changed = {key: _in_float32(child) for key, child in tree.items()}
    config = changed.get("config")
    if isinstance(config, dict):
        key = "name" if changed.get("class_name") in _POLICIES else "dtype"
        if changed.get("class_name") not in _KEPT and isinstance(config.get(key), str) and config[key] in _HALF:
            config[key] = "float32"
    return changed
