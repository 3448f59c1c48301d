"""Networks over rows of numbers."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import layers


def _features() -> Any:
    return keras.Input((32,), name="features")


def mlp() -> Any:
    features = _features()
    x = layers.ReLU()(layers.BatchNormalization()(layers.Dense(48)(features)))
    x = layers.Dropout(0.3)(layers.Dense(32, activation="gelu")(x))
    return keras.Model(features, layers.Dense(4, activation="softmax")(x))


def autoencoder() -> Any:
    features = _features()
    code = layers.Dense(8, activation="tanh")(layers.Dense(48, activation="relu")(features))
    return keras.Model(features, layers.Dense(32)(layers.Dense(48, activation="relu")(code)))


def several_ends() -> Any:
    left, right = keras.Input((32,), name="left"), keras.Input((4,), name="right")
    x = layers.concatenate([layers.Dense(48, activation="relu")(left), layers.Dense(8, activation="tanh")(right)])
    scores = layers.Dense(3, activation="softmax", name="scores")(x)
    return keras.Model([left, right], {"scores": scores, "value": layers.Dense(1, name="value")(x)})


def siamese() -> Any:
    tower = keras.Sequential([keras.Input((32,)), layers.Dense(48, activation="relu"), layers.Dense(8)])
    left, right = keras.Input((32,), name="left"), keras.Input((32,), name="right")
    distance = keras.ops.abs(tower(left) - tower(right))
    return keras.Model([left, right], layers.Dense(1, activation="sigmoid")(distance))


def wide_and_deep() -> Any:
    item, numbers = keras.Input((1,), dtype="int32", name="item"), keras.Input((8,), name="numbers")
    deep = layers.concatenate([layers.Flatten()(layers.Embedding(100, 16)(item)), numbers])
    deep = layers.Dense(48, activation="relu")(layers.Dense(48, activation="relu")(deep))
    return keras.Model([item, numbers], layers.Dense(1, activation="sigmoid")(layers.concatenate([deep, numbers])))


def two_towers() -> Any:
    user, item = (keras.Input((1,), dtype="int32", name=name) for name in ("user", "item"))
    towers = [layers.Flatten()(layers.Embedding(count, 16)(ids)) for count, ids in ((100, user), (80, item))]
    return keras.Model([user, item], layers.Dot(1)([layers.Dense(16)(tower) for tower in towers]))


def normalized() -> Any:
    features = _features()
    draw = np.random.default_rng(0)
    scaled = layers.Normalization(mean=draw.normal(size=32), variance=draw.uniform(0.5, 2, 32))(features)
    bucket = layers.Discretization(bin_boundaries=[-1.0, 0.0, 1.0])(features[:, :1])
    x = layers.concatenate([scaled, layers.CategoryEncoding(4, output_mode="one_hot")(bucket)])
    return keras.Model(features, layers.Dense(4)(layers.Dense(48, activation="relu")(x)))


def experts() -> Any:
    features = _features()
    gate = layers.Dense(3, activation="softmax")(features)
    answers = keras.ops.stack([layers.Dense(32, activation="relu")(features) for _ in range(3)], axis=1)
    mixed = keras.ops.sum(answers * keras.ops.expand_dims(gate, -1), axis=1)
    return keras.Model(features, layers.Dense(4)(mixed))
