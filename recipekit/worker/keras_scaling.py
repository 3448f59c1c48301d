"""Layers with which a Keras model scales its inputs itself: what they say of the values that it was made for.

Only what a layer's own numbers state is taken: a `Rescaling`, or the statistics that a `Normalization` was adapted to
or a `BatchNormalization` was trained to. This module works on models of either Keras and imports neither.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from recipekit.contracts import FirstLayer

_KEEPS_VALUES = frozenset(
    {
        *("CenterCrop", "Dropout", "Permute", "RandomCrop", "RandomFlip", "RandomRotation", "RandomTranslation"),
        *("RandomZoom", "Reshape", "Resizing"),
    }
)
"""Layers behind which an input still has the values that it had."""


def first_layers(model: Any, inputs: Mapping[str, Any]) -> tuple[FirstLayer, ...]:
    """The scaling layer that each input goes into, where it goes into nothing else before.

    Args:
        model: a functional or sequential model of either Keras.
        inputs: its symbolic input tensors by name.
    """
    scaled = ((name, _only_consumer(_layer_of(tensor), model)) for name, tensor in inputs.items())
    described = (_described(name, layer) for name, layer in scaled if layer is not None)
    return tuple(layer for layer in described if layer is not None)


def _only_consumer(layer: Any, model: Any) -> Any | None:
    """The one layer that takes what a layer gives, those left out that keep its values; of a nested model, its own."""
    while True:
        taking = {id(node): node for node in layer._outbound_nodes}
        layers = {id(taker): taker for taker in map(_layer_of_node, taking.values()) if _is_in(taker, model)}
        if len(layers) != 1:
            return None
        (layer,) = layers.values()
        inner = getattr(layer, "inputs", None)
        if inner is not None and len(inner) == 1 and hasattr(layer, "layers"):
            model, layer = layer, _layer_of(inner[0])
        elif type(layer).__name__ not in _KEEPS_VALUES:
            return layer


def _is_in(layer: Any, model: Any) -> bool:
    return any(layer is own for own in model.layers)


def _layer_of(tensor: Any) -> Any:
    history = tensor._keras_history
    return history.operation if hasattr(history, "operation") else history.layer


def _layer_of_node(node: Any) -> Any:
    return node.operation if hasattr(node, "operation") else node.layer


def _described(name: str, layer: Any) -> FirstLayer | None:
    kind = type(layer).__name__
    if kind == "Rescaling":
        scale, offset = np.mean(layer.scale), np.mean(layer.offset)
    elif kind == "Normalization" and not layer.invert:
        scale, offset = _standardizing(layer.mean, layer.variance)
    elif kind == "BatchNormalization":
        scale, offset = _standardizing(layer.moving_mean, layer.moving_variance)
    else:
        return None
    if not (math.isfinite(scale) and math.isfinite(offset)) or (scale, offset) == (1.0, 0.0):
        return None  # as it was made, before any data
    return FirstLayer(input=name, name=str(layer.name), kind=kind, scale=float(scale), offset=float(offset))


def _standardizing(mean: Any, variance: Any) -> tuple[float, float]:
    """Factor and summand that standardize all channels together."""
    means, variances = np.asarray(mean, np.float64), np.asarray(variance, np.float64)
    std = math.sqrt(variances.mean() + means.var())
    return (1 / std, -float(means.mean()) / std) if std else (math.inf, math.inf)
