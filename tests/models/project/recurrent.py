"""Recurrent models of both Keras, unrolled or not, and one whose samples look at each other."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf
import tf_keras


def model(package: str, layer: str, steps: int | None = 5, **options: Any) -> Any:
    """One recurrent layer and a dense one."""
    module = {"keras": keras, "tf_keras": tf_keras}[package]
    sequence = module.Input((steps, 3), name="sequence")
    x = getattr(module.layers, layer)(4, name="memory", **options)(sequence)
    return module.Model(sequence, module.layers.Dense(2, name="scores")(x))


def nested() -> Any:
    """Recurrent layers in a wrapper, inside of a model in a model, behind a mask."""
    sequence = keras.Input((5, 3))
    inner = keras.Model(sequence, keras.layers.Bidirectional(keras.layers.GRU(4, name="memory"))(sequence))
    outer = keras.Input((5, 3), name="sequence")
    return keras.Model(outer, keras.layers.Dense(2, name="scores")(inner(keras.layers.Masking()(outer))))


def stateful() -> Any:
    """A layer that begins where its last call has ended."""
    sequence = keras.Input((5, 3), batch_size=1, name="sequence")
    return keras.Model(sequence, keras.layers.GRU(4, stateful=True, name="memory")(sequence))


class Centred(tf.Module):  # type: ignore[misc]  # TensorFlow is not typed
    """Subtracts the mean of all it is given, the batch included."""

    @tf.function(input_signature=[tf.TensorSpec((None, 4), tf.float32, name="x")])  # type: ignore[untyped-decorator]
    def __call__(self, x: Any) -> dict[str, Any]:
        return {"y": x - tf.reduce_mean(x)}


def centred() -> Any:
    return Centred()
