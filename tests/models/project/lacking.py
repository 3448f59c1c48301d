"""Models with layers and operators that TensorFlow Lite lacks, in every place where one can stand."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf
import tf_keras


class Swirl(keras.layers.Layer):  # type: ignore[misc]  # Keras is not typed
    """Betainc(1, 1, x), which is x, with a setting and a weight of its own."""

    def __init__(self, rate: float = 2.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.rate = rate

    def build(self, shape: Any) -> None:
        self.gain = self.add_weight(name="gain", shape=(shape[-1],), initializer="random_normal")

    def call(self, inputs: Any, training: bool = False) -> Any:
        one = tf.ones_like(inputs)
        return tf.raw_ops.Betainc(a=one, b=one, x=tf.sigmoid(inputs)) * self.gain * self.rate

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "rate": self.rate}


class Wrapping(keras.Model):  # type: ignore[misc]  # Keras is not typed
    """A subclassed model that keeps layers in a list."""

    def __init__(self) -> None:
        super().__init__(name="wrapping")
        self.parts = [keras.layers.Dense(4, name="dense"), Swirl(rate=0.5, name="kept")]

    def call(self, inputs: Any) -> Any:
        for part in self.parts:
            inputs = part(inputs)
        return inputs


def nested() -> Any:
    x = keras.Input((4,), name="x")
    inner = keras.Sequential([keras.layers.Dense(4), Swirl(rate=3.0, name="inner_swirl")], name="inner")
    return keras.Model(x, keras.layers.Dense(2, name="y")(Swirl(name="outer_swirl")(inner(x))))


class Far(keras.layers.Layer):  # type: ignore[misc]  # Keras is not typed
    """Has numbers for answers only where inputs are above 100, as a vocabulary has only where they are its own."""

    def call(self, inputs: Any) -> Any:
        return tf.math.log(inputs - 100.0)


def far() -> Any:
    x = keras.Input((4,), name="x")
    return keras.Model(x, keras.layers.Dense(2, name="y")(Swirl(name="swirl")(Far()(x))))


def recurrent() -> Any:
    """A recurrent layer before one that TensorFlow Lite lacks."""
    sequence = keras.Input((5, 3), name="sequence")
    x = Swirl()(keras.layers.GRU(4, name="memory")(sequence))
    return keras.Model(sequence, keras.layers.Dense(2, name="scores")(x))


def subclassed() -> Any:
    model = Wrapping()
    model(tf.zeros((1, 4)))
    return model


class LegacySwirl(tf_keras.layers.Layer):  # type: ignore[misc]  # Keras is not typed
    """The same for Keras 2."""

    def build(self, shape: Any) -> None:
        self.gain = self.add_weight(name="gain", shape=(shape[-1],), initializer="random_normal")
        super().build(shape)

    def call(self, inputs: Any) -> Any:
        one = tf.ones_like(inputs)
        return tf.raw_ops.Betainc(a=one, b=one, x=tf.sigmoid(inputs)) * self.gain


def legacy() -> Any:
    x = tf_keras.Input((4,), name="x")
    return tf_keras.Model(x, tf_keras.layers.Dense(2, name="y")(LegacySwirl(name="swirl")(x)))


class Everywhere(tf.Module):  # type: ignore[misc]  # TensorFlow is not typed
    """Erf in the function itself, in a loop, in a branch and in a function that is called."""

    def __init__(self) -> None:
        super().__init__()
        self.called = tf.function(lambda x: tf.math.erf(x) * 0.5)
        self.weight = tf.Variable(tf.random.stateless_normal((4, 4), (1, 2)))

    @tf.function(input_signature=[tf.TensorSpec((1, 4), tf.float32, name="x")])  # type: ignore[untyped-decorator]
    def __call__(self, x: Any) -> dict[str, Any]:
        x = tf.math.erf(tf.matmul(x, self.weight))
        _, x = tf.while_loop(lambda step, _: step < 2, lambda step, x: (step + 1, tf.math.erf(x) + 0.1), (0, x))
        x = tf.cond(tf.reduce_sum(x) > 0, lambda: tf.math.erf(x) + 1.0, lambda: x - tf.math.erf(x * 2.0))
        return {"y": self.called(x)}


def everywhere() -> Any:
    return Everywhere()


def attributes() -> Any:
    volume = keras.Input((4, 4, 4, 2), name="volume")
    return keras.Model(volume, keras.layers.MaxPooling3D((2, 1, 2), name="y")(volume))


def two_results() -> Any:
    @tf.function  # type: ignore[untyped-decorator]
    def determinant(x: Any) -> dict[str, Any]:
        sign, logarithm = tf.raw_ops.LogMatrixDeterminant(input=x)
        return {"y": tf.stack([logarithm, sign], 1)}

    return determinant.get_concrete_function(tf.TensorSpec((None, 2, 2), tf.float32, name="x"))
