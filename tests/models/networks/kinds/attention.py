"""Networks of attention and of token embeddings."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers


def _tokens() -> Any:
    return keras.Input((12,), dtype="int32", name="tokens")


def _embedded(tokens: Any) -> Any:
    return layers.Embedding(50, 32)(tokens) + layers.Embedding(12, 32)(keras.ops.arange(12))


def _block(x: Any, *, causal: bool = False) -> Any:
    x = layers.LayerNormalization()(x + layers.MultiHeadAttention(2, 16)(x, x, use_causal_mask=causal))
    wide = layers.Dense(64, activation="gelu")(x)
    return layers.LayerNormalization()(x + layers.Dense(32)(wide))


def transformer() -> Any:
    tokens = _tokens()
    return keras.Model(tokens, layers.Dense(4)(layers.GlobalAveragePooling1D()(_block(_embedded(tokens)))))


def causal() -> Any:
    tokens = _tokens()
    return keras.Model(tokens, layers.Dense(50)(_block(_block(_embedded(tokens), causal=True), causal=True)))


def vision_transformer() -> Any:
    image = keras.Input((16, 16, 3), name="image")
    patches = layers.Reshape((16, 32))(layers.Conv2D(32, 4, 4)(image))
    x = _block(patches + layers.Embedding(16, 32)(keras.ops.arange(16)))
    return keras.Model(image, layers.Dense(5)(layers.GlobalAveragePooling1D()(x)))


def attention_pooling() -> Any:
    sequence = keras.Input((12, 16), name="sequence")
    x = layers.Dense(64, activation="tanh")(sequence)
    weights = layers.Softmax(axis=1)(layers.Dense(1)(x))
    return keras.Model(sequence, layers.Dense(4)(keras.ops.sum(x * weights, axis=1)))


def cross_attention() -> Any:
    query, memory = keras.Input((4, 16), name="query"), keras.Input((12, 16), name="memory")
    x = layers.MultiHeadAttention(4, 16)(query, memory)
    return keras.Model([query, memory], layers.Dense(4)(layers.LayerNormalization()(x + query)))


def token_mixing() -> Any:
    image = keras.Input((16, 16, 3), name="image")
    x = layers.Reshape((16, 32))(layers.Conv2D(32, 4, 4)(image))
    across = layers.Permute((2, 1))(layers.LayerNormalization()(x))
    x = x + layers.Permute((2, 1))(layers.Dense(16)(layers.Dense(64, activation="gelu")(across)))
    return keras.Model(image, layers.Dense(5)(layers.GlobalAveragePooling1D()(layers.Dense(32)(x))))


def text_cnn() -> Any:
    tokens = _tokens()
    x = layers.Embedding(50, 32)(tokens)
    widths = [layers.GlobalMaxPooling1D()(layers.Conv1D(16, width, activation="relu")(x)) for width in (2, 3, 4)]
    return keras.Model(tokens, layers.Dense(3, activation="softmax")(layers.concatenate(widths)))
