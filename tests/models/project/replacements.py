"""Equivalents of what TensorFlow Lite lacks, good and bad."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf
import tf_keras

NOTHING = None
_VARIABLE = tf.Variable(1.0)


class PlainSwirl(keras.layers.Layer):  # type: ignore[misc]  # Keras is not typed
    """What `lacking.Swirl` computes."""

    def __init__(self, rate: float = 2.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.rate = rate

    def build(self, shape: Any) -> None:
        self.gain = self.add_weight(name="gain", shape=(shape[-1],))

    def call(self, inputs: Any) -> Any:
        return tf.sigmoid(inputs) * self.gain * self.rate


class Weightless(keras.layers.Layer):  # type: ignore[misc]  # Keras is not typed
    """Forgets the weight."""

    def __init__(self, rate: float = 2.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)

    def call(self, inputs: Any) -> Any:
        return tf.sigmoid(inputs)


class LegacyPlainSwirl(tf_keras.layers.Layer):  # type: ignore[misc]  # Keras is not typed
    """The same for Keras 2."""

    def build(self, shape: Any) -> None:
        self.gain = self.add_weight(name="gain", shape=(shape[-1],))
        super().build(shape)

    def call(self, inputs: Any) -> Any:
        return tf.sigmoid(inputs) * self.gain


def scaled(inputs: Any, rate: float) -> Any:
    return tf.sigmoid(inputs) * rate


def times(inputs: Any, factor: float) -> Any:
    return inputs * factor


def plus(inputs: Any, factor: float) -> Any:
    return inputs + factor


def erf(x: Any) -> Any:
    """Abramowitz and Stegun, formula 7.1.26; the error is below 1.5e-7."""
    size = tf.abs(x)
    t = 1.0 / (1.0 + 0.3275911 * size)
    series = ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t + 0.254829592) * t
    return tf.sign(x) * (1.0 - series * tf.exp(-size * size))


def max_pool3d(value: Any, ksize: list[int], strides: list[int], padding: str) -> Any:
    """Two poolings in two dimensions, one after the other."""
    _, depth, height, width, channels = value.shape
    planes = tf.reshape(value, (-1, height, width, channels))
    planes = tf.nn.max_pool2d(planes, ksize[2:4], strides[2:4], padding)
    rows, columns = planes.shape[1:3]
    stacked = tf.reshape(planes, (-1, depth, rows * columns, channels))
    stacked = tf.nn.max_pool2d(stacked, (ksize[1], 1), (strides[1], 1), padding)
    return tf.reshape(stacked, (-1, stacked.shape[1], rows, columns, channels))


def log_determinant(matrices: Any) -> Any:
    determinant = matrices[:, 0, 0] * matrices[:, 1, 1] - matrices[:, 0, 1] * matrices[:, 1, 0]
    return tf.sign(determinant), tf.math.log(tf.abs(determinant))


def identity(x: Any) -> Any:
    return x


def twice(x: Any) -> Any:
    return x, x


def halves(x: Any) -> Any:
    return tf.cast(x, tf.float16)


def of_a_variable(x: Any) -> Any:
    return x * _VARIABLE


def raises(x: Any) -> Any:
    raise ValueError("not today")
