"""The kinds of network that the compatibility table has a row for, and what goes into each.

It must not import TensorFlow: samples are read without it.
"""

from __future__ import annotations

from typing import NamedTuple


class Input(NamedTuple):
    """One input: shape without batch, and below which number its integers lie; None for normal floats."""

    shape: tuple[int, ...]
    below: int | None = None


class Network(NamedTuple):
    """A row: its words, the module that builds it, and its inputs by name."""

    title: str
    module: str
    inputs: dict[str, Input]


_FEATURES = {"features": Input((32,))}
_IMAGE = {"image": Input((16, 16, 3))}
_SEQUENCE = {"sequence": Input((12, 16))}
_TOKENS = {"tokens": Input((12,), below=50)}
_WAVE = {"wave": Input((64, 1))}

NETWORKS = {
    "mlp": Network("dense layers, batch normalization, dropout", "tabular", _FEATURES),
    "autoencoder": Network("autoencoder of dense layers", "tabular", _FEATURES),
    "several_ends": Network("two inputs, two outputs", "tabular", {"left": Input((32,)), "right": Input((4,))}),
    "siamese": Network("siamese: one tower for two inputs", "tabular", {"left": Input((32,)), "right": Input((32,))}),
    "wide_and_deep": Network(
        "wide and deep: embeddings beside numbers", "tabular", {"item": Input((1,), 100), "numbers": Input((8,))}
    ),
    "two_towers": Network(
        "two towers: dot product of embeddings", "tabular", {"user": Input((1,), 100), "item": Input((1,), 80)}
    ),
    "normalized": Network("Normalization, Discretization, CategoryEncoding inside", "tabular", _FEATURES),
    "experts": Network("mixture of experts with a softmax gate", "tabular", _FEATURES),
    "convolutions": Network("convolutions, batch normalization, pooling", "vision", _IMAGE),
    "residual": Network("residual blocks", "vision", _IMAGE),
    "separable": Network("depthwise-separable, inverted residual (MobileNet)", "vision", _IMAGE),
    "squeeze_excite": Network("squeeze-and-excitation, swish (EfficientNet)", "vision", _IMAGE),
    "dense_blocks": Network("densely connected convolutions (DenseNet)", "vision", _IMAGE),
    "grouped": Network("grouped convolutions, channel shuffle", "vision", _IMAGE),
    "dilated": Network("dilated convolutions in parallel (ASPP)", "vision", _IMAGE),
    "unet": Network("U-Net: transposed convolutions, skip connections", "vision", _IMAGE),
    "upsampling": Network("convolutional autoencoder, bilinear and nearest upsampling", "vision", _IMAGE),
    "super_resolution": Network("super-resolution: depth to space, PReLU", "vision", _IMAGE),
    "detector": Network("detector heads: boxes and classes", "vision", _IMAGE),
    "preprocessed_images": Network("Resizing, Rescaling, CenterCrop inside", "vision", {"image": Input((20, 24, 3))}),
    "conv3d": Network("3-D convolutions", "vision", {"volume": Input((6, 8, 8, 2))}),
    "conv3d_transpose": Network("3-D transposed convolution", "vision", {"volume": Input((3, 4, 4, 4))}),
    "conv1d": Network("1-D convolutions", "sequences", _SEQUENCE),
    "wavenet": Network("WaveNet: dilated causal 1-D convolutions, gates", "sequences", _WAVE),
    "conv1d_transpose": Network("1-D transposed convolution", "sequences", _SEQUENCE),
    "spectrogram": Network("STFT spectrogram inside, then convolutions", "sequences", {"wave": Input((256, 1))}),
    "lstm": Network("LSTM", "sequences", _SEQUENCE),
    "lstm_stack": Network("two LSTM layers, outputs at every step", "sequences", _SEQUENCE),
    "gru": Network("GRU", "sequences", _SEQUENCE),
    "simple_rnn": Network("SimpleRNN", "sequences", _SEQUENCE),
    "bidirectional": Network("bidirectional LSTM", "sequences", _SEQUENCE),
    "encoder_decoder": Network(
        "LSTM encoder-decoder", "sequences", {"source": Input((8, 16)), "target": Input((6, 16))}
    ),
    "conv_lstm": Network("ConvLSTM2D", "sequences", {"frames": Input((4, 8, 8, 2))}),
    "keras2_lstm": Network("LSTM of tf_keras", "keras2", _SEQUENCE),
    "keras2_gru": Network("GRU of tf_keras", "keras2", _SEQUENCE),
    "keras2_rnn": Network("SimpleRNN of tf_keras, bidirectional", "keras2", _SEQUENCE),
    "keras2_convolutions": Network("convolutions of tf_keras", "keras2", _IMAGE),
    "transformer": Network("transformer encoder over tokens", "attention", _TOKENS),
    "causal": Network("transformer decoder: causal mask, positional embedding", "attention", _TOKENS),
    "vision_transformer": Network("vision transformer", "attention", _IMAGE),
    "attention_pooling": Network("attention pooling", "attention", _SEQUENCE),
    "cross_attention": Network(
        "cross-attention of two sequences", "attention", {"query": Input((4, 16)), "memory": Input((12, 16))}
    ),
    "token_mixing": Network("dense token mixing (MLP-Mixer)", "attention", _IMAGE),
    "text_cnn": Network("convolutions over token embeddings", "attention", _TOKENS),
    "graph_convolution": Network(
        "graph convolutions by matrix products", "modules", {"nodes": Input((10, 32)), "edges": Input((10, 10))}
    ),
    "einsum": Network("einsum over a tensor of rank 4", "modules", {"x": Input((4, 6, 8))}),
    "while_loop": Network("tf.while_loop", "modules", _FEATURES),
    "branches": Network("tf.cond", "modules", _FEATURES),
    "keras_in_module": Network("tf.Module around a Keras model", "modules", _FEATURES),
    "table_lookup": Network("IntegerLookup, then an embedding", "modules", {"ids": Input((6,), 30)}),
    "hashing": Network("Hashing of integers, then an embedding", "modules", {"ids": Input((6,), 1000)}),
    "top_k": Network("top k, gather, cumulative sum", "modules", _FEATURES),
}
