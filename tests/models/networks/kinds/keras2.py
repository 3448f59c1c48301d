"""Networks of tf_keras, the Keras 2 that lives beside Keras 3."""

from __future__ import annotations

from typing import Any

import tf_keras
from tf_keras import layers


def _sequence() -> Any:
    return tf_keras.Input((12, 16), name="sequence")


def keras2_lstm() -> Any:
    sequence = _sequence()
    return tf_keras.Model(sequence, layers.Dense(4)(layers.LSTM(20)(sequence)))


def keras2_gru() -> Any:
    sequence = _sequence()
    return tf_keras.Model(sequence, layers.Dense(4)(layers.GRU(24)(sequence)))


def keras2_rnn() -> Any:
    sequence = _sequence()
    return tf_keras.Model(sequence, layers.Dense(4)(layers.Bidirectional(layers.SimpleRNN(24))(sequence)))


def keras2_convolutions() -> Any:
    image = tf_keras.Input((16, 16, 3), name="image")
    x = layers.Conv2D(16, 3, padding="same", use_bias=False)(image)
    x = layers.ReLU()(layers.BatchNormalization()(x))
    x = layers.DepthwiseConv2D(3, padding="same", activation="relu6")(x)
    x = layers.Conv2D(64, 1, activation="relu")(layers.MaxPooling2D()(x))
    return tf_keras.Model(image, layers.Dense(5, activation="softmax")(layers.GlobalAveragePooling2D()(x)))
