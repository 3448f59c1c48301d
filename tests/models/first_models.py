"""What people begin with: models of every kind of file and input, by `python first_models.py FOLDER`.

Weights are as drawn; what the models are made of and what they take is what counts.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
import tf_keras

L = keras.layers


@keras.saving.register_keras_serializable("shop")
class Step(keras.layers.Layer):  # type: ignore[misc]  # Keras has no types here
    """A soft step; TensorFlow Lite has no kernel for it."""

    def build(self, _shape: Any) -> None:
        self.slope = self.add_weight(name="slope", shape=(), initializer="ones")

    def call(self, x: Any) -> Any:
        return tf.math.erf(self.slope * x)


class Net(keras.Model):  # type: ignore[misc]
    """A subclassed model: its file doesn't name its input."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.scores = L.Dense(3)

    def call(self, signal: Any) -> Any:
        return self.scores(signal)


class Module(tf.Module):  # type: ignore[misc]
    """Two signatures, one with an operator that TensorFlow Lite lacks."""

    def __init__(self) -> None:
        self.w = tf.Variable(tf.ones((4, 2)), name="w")

    @tf.function(input_signature=[tf.TensorSpec((None, 4), tf.float32, name="x")])  # type: ignore[untyped-decorator]
    def serve(self, x: Any) -> Any:
        return {"y": tf.math.erf(x @ self.w)}

    @tf.function(input_signature=[tf.TensorSpec((None, 4), tf.float32, name="x")])  # type: ignore[untyped-decorator]
    def double(self, x: Any) -> Any:
        return {"z": x * 2}


def photo() -> Any:
    """Its scores lie far apart, as those of a trained model do."""
    x = keras.Input((32, 32, 3), name="photo")
    y = L.Conv2D(8, 3, strides=2, activation="relu")(L.Rescaling(1 / 255)(x))
    y = L.GlobalAveragePooling2D()(L.BatchNormalization()(y))
    scores = L.Dense(5, activation="softmax", kernel_initializer=keras.initializers.RandomNormal(0, 4), name="scores")
    return keras.Model(x, scores(y))


def table() -> Any:
    model = keras.Sequential([L.Dense(4, activation="relu"), L.Dense(1)])
    model.build((None, 6))
    return model


def text() -> Any:
    tokens = keras.Input((None,), dtype="int32", name="tokens")
    y = L.LSTM(6)(L.Embedding(50, 8)(tokens))
    return keras.Model(tokens, L.Dense(2, activation="softmax")(y))


def wave() -> Any:
    x = keras.Input((16000,), name="wave")
    y = L.Conv1D(4, 64, strides=32)(L.Reshape((16000, 1))(x))
    return keras.Model(x, L.Dense(3, activation="softmax")(L.GlobalAveragePooling1D()(y)))


def two() -> Any:
    a, b = keras.Input((4,), name="a"), keras.Input((3,), name="b")
    outputs = {"left": L.Dense(2, name="l")(L.Concatenate()([a, b])), "right": L.Dense(1, name="r")(b)}
    return keras.Model({"a": a, "b": b}, outputs)


def custom() -> Any:
    x = keras.Input((4,), name="x")
    return keras.Model(x, L.Dense(2, name="y")(Step(name="step")(x)))


def with_lambda() -> Any:
    x = keras.Input((4,), name="x")
    return keras.Model(x, L.Lambda(lambda it: it * 2, name="twice")(x))


def net() -> Any:
    model = Net()
    model(np.zeros((1, 7), np.float32))
    return model


def old() -> Any:
    """A model of Keras 2, trained for a moment so that its files have optimizer and metrics."""
    layers = tf_keras.layers
    shape = {"input_shape": (28, 28, 1)}
    depthwise = layers.DepthwiseConv2D(3, activation="relu")
    model = tf_keras.Sequential([layers.Conv2D(4, 3, **shape), depthwise, layers.Flatten(), layers.Dense(10)])
    model.compile("adam", tf_keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
    model.fit(np.zeros((2, 28, 28, 1), np.float32), np.zeros(2), verbose=0)
    return model


MODELS: dict[str, Callable[[], Any]] = {
    "photo.keras": photo,
    "photo.h5": photo,
    "table.keras": table,
    "text.keras": text,
    "wave.keras": wave,
    "two.keras": two,
    "custom.keras": custom,
    "lambda.keras": with_lambda,
    "net.keras": net,
    "old.h5": old,
    "old.keras": old,
}


def build(folder: Path) -> None:
    """Writes every model into a folder."""
    for name, make in MODELS.items():
        make().save(str(folder / name))
    made = photo()
    made.export(str(folder / "photo"), verbose=False)
    converter = tf.lite.TFLiteConverter.from_saved_model(str(folder / "photo"))
    (folder / "photo.tflite").write_bytes(converter.convert())
    old().save(str(folder / "old"), save_format="tf")
    module = Module()
    signatures = {"serving_default": module.serve, "double": module.double}
    tf.saved_model.save(module, str(folder / "module"), signatures)


if __name__ == "__main__":
    build(Path(sys.argv[1]))
