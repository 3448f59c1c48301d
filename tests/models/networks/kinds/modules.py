"""Networks in TensorFlow's own terms, and layers that look something up."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from . import tabular


def graph_convolution() -> Any:
    nodes, edges = keras.Input((10, 32), name="nodes"), keras.Input((10, 10), name="edges")
    adjacency = keras.ops.softmax(edges)
    x = keras.ops.relu(keras.ops.matmul(adjacency, layers.Dense(40)(nodes)))
    x = keras.ops.matmul(adjacency, layers.Dense(8)(x))
    return keras.Model([nodes, edges], x)


class _Module(tf.Module):  # type: ignore[misc]  # TensorFlow is not typed
    """A function of one input with weights of its own."""

    def __init__(self, name: str, shape: tuple[int, ...], weights: tuple[int, ...], compute: Any) -> None:
        super().__init__()
        values = np.random.default_rng(0).normal(0, 0.3, weights)
        self.kernel = tf.Variable(values.astype(np.float32))
        signature = [tf.TensorSpec((None, *shape), tf.float32, name=name)]
        self.serving_default = tf.function(lambda x: {"y": compute(x, self.kernel)}, input_signature=signature)


def einsum() -> Any:
    return _Module("x", (4, 6, 8), (8, 6, 32), lambda x, kernel: tf.einsum("bhsd,dse->bhe", x, kernel))


def while_loop() -> Any:
    def repeat(x: Any, kernel: Any) -> Any:
        def step(count: Any, state: Any) -> Any:
            return count + 1, tf.nn.tanh(tf.matmul(state, kernel))

        return tf.while_loop(lambda count, _: count < 3, step, (0, x))[1]

    return _Module("features", (32,), (32, 32), repeat)


def branches() -> Any:
    def choose(x: Any, kernel: Any) -> Any:
        return tf.cond(tf.reduce_sum(x) > 0, lambda: tf.nn.relu(tf.matmul(x, kernel)), lambda: x)

    return _Module("features", (32,), (32, 32), choose)


def top_k() -> Any:
    def rank(x: Any, kernel: Any) -> Any:
        return tf.cumsum(tf.math.top_k(tf.matmul(x, kernel), 5).values, axis=1)

    return _Module("features", (32,), (32, 48), rank)


class _Holder(tf.Module):  # type: ignore[misc]  # TensorFlow is not typed
    """Holds a Keras model, and scales what it gives."""

    def __init__(self) -> None:
        super().__init__()
        self.model = tabular.mlp()

    @tf.function(input_signature=[tf.TensorSpec((None, 32), tf.float32, name="features")])  # type: ignore[untyped-decorator]
    def __call__(self, features: Any) -> Any:
        return {"scores": 2.0 * self.model(features, training=False)}


def keras_in_module() -> Any:
    return _Holder()


def table_lookup() -> Any:
    ids = keras.Input((6,), dtype="int64", name="ids")
    known = layers.IntegerLookup(vocabulary=list(range(0, 30, 2)))(ids)
    return keras.Model(ids, layers.Dense(4)(layers.Flatten()(layers.Embedding(16, 64)(known))))


def hashing() -> Any:
    ids = keras.Input((6,), dtype="int32", name="ids")
    return keras.Model(ids, layers.Dense(4)(layers.Flatten()(layers.Embedding(16, 64)(layers.Hashing(16)(ids)))))
