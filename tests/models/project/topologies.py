"""Ordinary networks that batch normalizations and scalings stand in, in places that differ."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np

IMAGE, ROW, SEQUENCE = (8, 8, 2), (6,), (5, 3)


def _networks(layers: Any) -> dict[str, Any]:
    """What each kind does with its input; rows and sequences by those that begin so."""

    def norm(x: Any) -> Any:
        return layers.BatchNormalization(name="norm")(x)

    def conv(x: Any, **options: Any) -> Any:
        return layers.Conv2D(4, 3, **options)(x)

    def bent(x: Any) -> Any:
        return conv(x, activation="elu", name="bent")

    def gated(x: Any) -> Any:
        x = conv(x)
        gate = layers.Dense(4, activation="sigmoid")(layers.GlobalAveragePooling2D(keepdims=True)(x))
        return layers.Multiply()([x, gate])

    def shared(x: Any) -> Any:
        x = conv(x)
        return layers.Add()([norm(x), x])

    return {
        "conv": lambda x: layers.ReLU()(norm(conv(x))),
        "depthwise": lambda x: layers.ReLU(6.0)(norm(layers.DepthwiseConv2D(3)(x))),
        "separable": lambda x: layers.ReLU()(norm(layers.SeparableConv2D(4, 3)(x))),
        "transposed": lambda x: layers.ReLU()(norm(layers.Conv2DTranspose(4, 3, use_bias=False)(x))),
        "activated": lambda x: norm(conv(x, activation="relu")),
        "pooled": lambda x: norm(layers.MaxPooling2D()(conv(x))),
        "added": lambda x: layers.ReLU()(norm(layers.Add()([conv(x), conv(x)]))),
        "shared": shared,
        "first": lambda x: conv(norm(x)),
        "scaled": lambda x: conv(layers.Rescaling(1 / 127.5, -1)(x)),
        "gated": gated,
        "swish": lambda x: conv(x, activation="swish"),
        "clipped": lambda x: conv(x, activation="relu6"),
        "row_dense": lambda x: layers.ReLU()(norm(layers.Dense(8)(x))),
        "row_activated": lambda x: norm(layers.Dense(8, activation="relu")(x)),
        "sequence_dense": lambda x: layers.Flatten()(layers.ReLU()(norm(layers.Dense(8)(x)))),
        "slopes": lambda x: layers.PReLU(name="slopes")(layers.LayerNormalization(name="evened")(bent(x))),
    }


def model(kind: str, package: str = "keras", *, sequential: bool = False) -> Any:
    """A network of four outputs with random weights."""
    keras = importlib.import_module(package)
    keras.utils.set_random_seed(0)
    shape = {"row": ROW, "sequence": SEQUENCE}.get(kind.partition("_")[0], IMAGE)
    x = keras.Input(shape, name="x")
    y = _networks(keras.layers)[kind](x)
    y = keras.layers.GlobalAveragePooling2D()(y) if shape == IMAGE else y
    network = keras.Model(x, keras.layers.Dense(4, name="y")(y))
    if sequential:
        network = keras.Sequential(list(network.layers))
    draw = np.random.default_rng(0)
    network.set_weights([draw.uniform(0.2, 1.0, array.shape) for array in network.get_weights()])
    return network
