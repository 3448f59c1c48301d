"""A layer of Keras 3 that a saved model can hold: recipes name this module in `custom_layers.modules`."""

from __future__ import annotations

import keras


@keras.saving.register_keras_serializable(package="recipekit_example")
class Hann(keras.layers.Layer):
    """Multiplies a window of samples by the Hann window."""

    def build(self, shape):
        steps = keras.ops.arange(shape[-1], dtype="float32")
        self.window = 0.5 - 0.5 * keras.ops.cos(2 * 3.14159265 * steps / shape[-1])

    def call(self, inputs):
        return inputs * self.window
