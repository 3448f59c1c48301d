"""Networks over sequences: convolutions and recurrent layers."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers


def _sequence() -> Any:
    return keras.Input((12, 16), name="sequence")


def conv1d() -> Any:
    sequence = _sequence()
    x = layers.MaxPooling1D()(layers.Conv1D(32, 3, padding="same", activation="relu")(sequence))
    x = layers.Conv1D(16, 3, strides=2, activation="relu")(x)
    return keras.Model(sequence, layers.Dense(4)(layers.GlobalMaxPooling1D()(x)))


def wavenet() -> Any:
    wave = keras.Input((64, 1), name="wave")
    x = layers.Conv1D(24, 2, padding="causal")(wave)
    for rate in (1, 2, 4):
        signal, gate = (
            layers.Conv1D(24, 2, padding="causal", dilation_rate=rate, activation=activation)(x)
            for activation in ("tanh", "sigmoid")
        )
        x = layers.add([x, layers.Conv1D(24, 1)(layers.multiply([signal, gate]))])
    return keras.Model(wave, layers.Conv1D(1, 1)(layers.ReLU()(x)))


def conv1d_transpose() -> Any:
    sequence = _sequence()
    x = layers.Conv1DTranspose(24, 4, 2, padding="same", activation="relu")(sequence)
    return keras.Model(sequence, layers.Conv1D(4, 3, padding="same")(x))


def spectrogram() -> Any:
    wave = keras.Input((256, 1), name="wave")
    x = layers.STFTSpectrogram(mode="log", frame_length=64, frame_step=32, fft_length=64)(wave)
    x = layers.Conv1D(16, 3, activation="relu")(x)
    return keras.Model(wave, layers.Dense(4)(layers.GlobalAveragePooling1D()(x)))


def lstm() -> Any:
    sequence = _sequence()
    return keras.Model(sequence, layers.Dense(4)(layers.LSTM(20)(sequence)))


def lstm_stack() -> Any:
    sequence = _sequence()
    x = layers.LSTM(20, return_sequences=True)(layers.LSTM(20, return_sequences=True)(sequence))
    return keras.Model(sequence, layers.TimeDistributed(layers.Dense(4))(x))


def gru() -> Any:
    sequence = _sequence()
    return keras.Model(sequence, layers.Dense(4)(layers.GRU(24)(sequence)))


def simple_rnn() -> Any:
    sequence = _sequence()
    return keras.Model(sequence, layers.Dense(4)(layers.SimpleRNN(40)(sequence)))


def bidirectional() -> Any:
    sequence = _sequence()
    return keras.Model(sequence, layers.Dense(4)(layers.Bidirectional(layers.LSTM(20))(sequence)))


def encoder_decoder() -> Any:
    source, target = keras.Input((8, 16), name="source"), keras.Input((6, 16), name="target")
    _, *state = layers.LSTM(20, return_state=True)(source)
    x = layers.LSTM(20, return_sequences=True)(target, initial_state=state)
    return keras.Model([source, target], layers.Dense(4)(x))


def conv_lstm() -> Any:
    frames = keras.Input((4, 8, 8, 2), name="frames")
    x = layers.ConvLSTM2D(8, 3, padding="same")(frames)
    return keras.Model(frames, layers.Dense(4)(layers.GlobalAveragePooling2D()(x)))
