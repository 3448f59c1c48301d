"""A model in layers that tensorflow-model-optimization can simulate 8-bit arithmetic for, with the same answers.

The package knows a batch normalization directly behind a convolution and nowhere else, no scaling, and no activation
inside of a layer that is several operators. What a normalization does in inference is one product and one sum for each
channel: it is multiplied into the layer before it, or is a depthwise convolution of one pixel.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import Any, NamedTuple, cast

import numpy as np
import tf_keras

from recipekit.worker.optimization.weights import Array
from recipekit.worker.optimization.wrapped_layers import own_copy

Call = Callable[..., Any]

_KEEP_THEIR_OWN = ("Conv2D", "DepthwiseConv2D", "SeparableConv2D")
"""Kinds of layer with which the package takes a normalization behind them together."""

_FOLDED_INTO = ("Dense", "Conv2DTranspose")
_OF_THEIR_OWN = ("swish", "silu", "relu6")
"""Activations that the package knows as layers alone, or finds too few ranges for inside of another layer."""

_RANKS = (2, 4)
"""Axes of rows and of images, the batch being one."""


class _Affine(NamedTuple):
    """A product and a sum for each channel.

    Attributes:
        scale: (channels,).
        offset: (channels,).
    """

    scale: Array
    offset: Array


def simulable(model: Any, kept: Collection[str]) -> Any:
    """A functional tf_keras model that computes the same, in layers that 8-bit arithmetic can be simulated for.

    Args:
        model: functional; it isn't changed.
        kept: names of layers whose weights stay as they are.
    """
    copy = own_copy(model)
    nodes = [node for depth in sorted(copy._nodes_by_depth, reverse=True) for node in copy._nodes_by_depth[depth]]
    folds = dict(_folds(copy, nodes, kept))
    calls: dict[int, Call] = {}
    made = {id(tensor): tensor for tensor in copy.inputs}
    for node in nodes:
        if node.is_input:
            continue
        arguments, keywords = node.map_arguments(_Made(made))
        layer = node.layer
        if id(layer) not in calls:
            calls[id(layer)] = _call_of(layer, folds, kept)
        outputs = calls[id(layer)](*arguments, **keywords)
        for before, after in zip(_flat(node.outputs), _flat(outputs), strict=True):
            made[id(before)] = after
    return tf_keras.Model(copy.inputs, [made[id(tensor)] for tensor in copy.outputs], name=copy.name)


class _Made(dict[Any, Any]):
    """Tensors of the new model as a node asks for them: by the old one's id, a list to take one from."""

    def __init__(self, made: dict[int, Any]) -> None:
        self._made = made
        super().__init__()

    def __getitem__(self, key: Any) -> list[Any]:
        return [self._made[int(key)]]


def _folds(model: Any, nodes: list[Any], kept: Collection[str]) -> Iterator[tuple[str, Any]]:
    """Normalizations that go into the layer before them, by the names of both; None for one that stays where it is."""
    readers: dict[int, list[Any]] = {}
    for node in nodes:
        for tensor in [] if node.is_input else _flat(node.keras_inputs):
            readers.setdefault(id(tensor), []).append(node)
    outputs = {id(tensor) for tensor in model.outputs}
    for node in nodes:
        if type(node.layer).__name__ != "BatchNormalization" or len(node.layer._inbound_nodes) != 1:
            continue
        (tensor,) = node.keras_inputs
        before = tensor._keras_history.layer
        alone = len(readers[id(tensor)]) == 1 and id(tensor) not in outputs and len(before._inbound_nodes) == 1
        if not alone or getattr(before, "activation", None) is not tf_keras.activations.linear:
            continue
        if type(before).__name__ in _KEEP_THEIR_OWN:
            yield node.layer.name, None
        elif _takes_in(before, node.layer) and before.name not in kept:
            yield before.name, node.layer
            yield node.layer.name, before


def _takes_in(layer: Any, normalization: Any) -> bool:
    """Whether a normalization may go into a layer's weights: it is one product and one sum for each of its outputs."""
    return type(layer).__name__ in _FOLDED_INTO and not _is_pointwise(layer) and _affine(normalization) is not None


def _is_pointwise(layer: Any) -> bool:
    """Whether it is a dense layer of images, whose product TensorFlow Lite gets with tensors of shapes around it."""
    return type(layer).__name__ == "Dense" and _rank(layer) == max(_RANKS)


def _rank(layer: Any) -> int:
    """Axes of a layer's input, 0 where it has several."""
    return len(layer.input_shape) if isinstance(layer.input_shape, tuple) else 0


def _call_of(layer: Any, folds: dict[str, Any], kept: Collection[str]) -> Call:
    """What stands in a layer's place, or the layer itself."""
    kind, unchanged = type(layer).__name__, cast("Call", layer)
    if layer.name in folds:
        other = folds[layer.name]
        if kind in _FOLDED_INTO:
            return _folded(layer, _affine(other))
        return _passed if other is not None else unchanged
    affine = _affine(layer)
    if affine is not None:
        return _depthwise(layer, affine)
    if _is_pointwise(layer) and layer.name not in kept:
        return _pointwise(layer)
    name = getattr(getattr(layer, "activation", None), "__name__", "")
    if kind != "Activation" and name in _OF_THEIR_OWN and layer.weights:
        return _split(layer, name)
    return unchanged


def _affine(layer: Any) -> _Affine | None:
    """What a normalization or a scaling does in inference; None for another layer, or another axis than the last."""
    shape = layer.input_shape
    if not isinstance(shape, tuple) or len(shape) not in _RANKS or shape[-1] is None:
        return None
    ones = np.ones(shape[-1], np.float32)
    if type(layer).__name__ == "Rescaling":
        if max(np.ndim(layer.scale), np.ndim(layer.offset)) > 1:
            return None
        return _Affine(ones * layer.scale, ones * layer.offset)
    if type(layer).__name__ != "BatchNormalization" or list(layer.axis) != [len(shape) - 1]:
        return None
    scale = ones / np.sqrt(np.array(layer.moving_variance) + layer.epsilon)
    scale *= ones if layer.gamma is None else np.array(layer.gamma)
    return _Affine(scale, (0 if layer.beta is None else np.array(layer.beta)) - np.array(layer.moving_mean) * scale)


def _passed(tensor: Any) -> Any:
    return tensor


def _folded(layer: Any, affine: _Affine | None) -> Call:
    """A layer with the normalization behind it in its weights."""
    assert affine is not None  # for type checkers: see `_takes_in`
    twin = type(layer).from_config({**layer.get_config(), "use_bias": True})
    kernel, *bias = layer.get_weights()
    scale = affine.scale[:, np.newaxis] if type(layer).__name__ == "Conv2DTranspose" else affine.scale

    def call(tensor: Any) -> Any:
        made = twin(tensor)
        twin.set_weights([kernel * scale, (bias[0] if bias else 0) * affine.scale + affine.offset])
        return made

    return call


def _depthwise(layer: Any, affine: _Affine) -> Call:
    channels = len(affine.scale)
    twin = tf_keras.layers.DepthwiseConv2D(1, name=layer.name)
    spread = tf_keras.layers.Reshape((1, 1, channels), name=f"{layer.name}_spread")
    flatten = tf_keras.layers.Reshape((channels,), name=f"{layer.name}_flat")

    def call(tensor: Any) -> Any:
        wide = len(tensor.shape) == max(_RANKS)
        made = twin(tensor if wide else spread(tensor))
        twin.set_weights([affine.scale.reshape(1, 1, channels, 1), affine.offset])
        return made if wide else flatten(made)

    return call


def _pointwise(layer: Any) -> Call:
    twin = tf_keras.layers.Conv2D(
        layer.units, 1, activation=layer.activation, use_bias=layer.use_bias, name=layer.name, trainable=layer.trainable
    )
    kernel, *bias = layer.get_weights()

    def call(tensor: Any) -> Any:
        made = twin(tensor)
        twin.set_weights([kernel[np.newaxis, np.newaxis], *bias])
        return made

    return call


def _split(layer: Any, activation: str) -> Call:
    """A layer and its activation behind it, so that what is between them gets a range."""
    twin = type(layer).from_config({**layer.get_config(), "activation": "linear"})
    name = f"{layer.name}_{activation}"
    clipped = activation == "relu6"
    behind = tf_keras.layers.ReLU(6.0, name=name) if clipped else tf_keras.layers.Activation(activation, name=name)
    weights = layer.get_weights()

    def call(tensor: Any) -> Any:
        made = twin(tensor)
        twin.set_weights(weights)
        return behind(made)

    return call


def _flat(tensors: Any) -> list[Any]:
    return list(tensors) if isinstance(tensors, list | tuple) else [tensors]
