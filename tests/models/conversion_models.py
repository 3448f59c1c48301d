"""Small SavedModels for the converter: `python conversion_models.py FOLDER` writes one folder a class.

It runs in a child process, because the test process never imports TensorFlow.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
import tf_keras

_IMAGE = (None, 8, 8, 2)
_VOLUME = (None, 4, 4, 4, 1)


class Scorer(tf.Module):  # type: ignore[misc]  # TensorFlow is not typed
    """A convolution of each of two images and a dense layer; their alphabetical order is not that of declaration."""

    def __init__(self) -> None:
        super().__init__()
        draw = np.random.default_rng(0)
        channels = np.array([1, 5, 0.1, 2], np.float32)
        self.zebra = tf.Variable(draw.normal(size=(3, 3, 2, 4)).astype(np.float32) * channels)
        self.apple = tf.Variable(draw.normal(size=(3, 3, 2, 4)).astype(np.float32) * channels)
        self.dense = tf.Variable(draw.normal(size=(512, 4)).astype(np.float32) * channels)

    @tf.function(  # type: ignore[untyped-decorator]
        input_signature=[tf.TensorSpec(_IMAGE, name="zebra"), tf.TensorSpec(_IMAGE, name="apple")]
    )
    def serve(self, zebra: Any, apple: Any) -> dict[str, Any]:
        zebra = tf.nn.relu(tf.nn.conv2d(zebra, self.zebra, 1, "SAME"))
        apple = tf.nn.relu(tf.nn.conv2d(apple, self.apple, 1, "SAME"))
        return {"scores": tf.matmul(tf.reshape(tf.concat([zebra, apple], 3), (-1, 512)), self.dense)}


class Conv3D(tf.Module):  # type: ignore[misc]  # TensorFlow is not typed
    """A convolution that TensorFlow Lite has for float alone."""

    def __init__(self) -> None:
        super().__init__()
        self.kernel = tf.Variable(np.random.default_rng(0).normal(size=(2, 2, 2, 1, 3)).astype(np.float32))

    @tf.function(input_signature=[tf.TensorSpec(_VOLUME, name="volume")])  # type: ignore[untyped-decorator]
    def serve(self, volume: Any) -> dict[str, Any]:
        return {"y": tf.nn.relu(tf.nn.conv3d(volume, self.kernel, [1, 1, 1, 1, 1], "SAME"))}


class Flex(tf.Module):  # type: ignore[misc]  # TensorFlow is not typed
    """An operator that only TensorFlow's own kernels compute, in two places."""

    @tf.function(input_signature=[tf.TensorSpec(_VOLUME, name="volume")])  # type: ignore[untyped-decorator]
    def serve(self, volume: Any) -> dict[str, Any]:
        with tf.name_scope("first_pool"):
            volume = tf.nn.max_pool3d(volume, 2, 2, "SAME")
        with tf.name_scope("second_pool"):
            return {"y": tf.nn.max_pool3d(volume, 2, 2, "SAME")}


class Custom(tf.Module):  # type: ignore[misc]  # TensorFlow is not typed
    """An operator that neither TensorFlow Lite nor SELECT_TF_OPS has."""

    @tf.function(input_signature=[tf.TensorSpec((None, 4), name="x")])  # type: ignore[untyped-decorator]
    def serve(self, x: Any) -> dict[str, Any]:
        with tf.name_scope("head"):
            return {"y": tf.raw_ops.Betainc(a=x, b=x, x=tf.sigmoid(x))}


class Half(tf.Module):  # type: ignore[misc]  # TensorFlow is not typed
    """A convolution in float16, as a mixed-precision policy leaves it."""

    def __init__(self) -> None:
        super().__init__()
        self.kernel = tf.Variable(np.ones((3, 3, 2, 4), np.float16))

    @tf.function(input_signature=[tf.TensorSpec(_IMAGE, name="image")])  # type: ignore[untyped-decorator]
    def serve(self, image: Any) -> dict[str, Any]:
        return {"y": tf.cast(tf.nn.conv2d(tf.cast(image, tf.float16), self.kernel, 1, "SAME"), tf.float32)}


class Recurrent(tf.Module):  # type: ignore[misc]  # TensorFlow is not typed
    """A loop over the steps of a sequence, kept in tensor lists, as recurrent layers build it."""

    def __init__(self) -> None:
        super().__init__()
        self.kernel = tf.Variable(np.eye(3, dtype=np.float32))

    def serve(self, sequence: Any) -> dict[str, Any]:
        with tf.name_scope("rnn"):
            return {"y": tf.map_fn(lambda step: tf.matmul(step, self.kernel), tf.transpose(sequence, (1, 0, 2)))}


class FixedBatch(tf.Module):  # type: ignore[misc]  # TensorFlow is not typed
    """A batch of two that can't be one."""

    @tf.function(input_signature=[tf.TensorSpec((2, 3), name="x")])  # type: ignore[untyped-decorator]
    def serve(self, x: Any) -> dict[str, Any]:
        return {"y": tf.nn.relu(x)}


class Attention(tf.Module):  # type: ignore[misc]  # TensorFlow is not typed
    """Self-attention and a layer normalization: products of two activations, and means."""

    def __init__(self) -> None:
        super().__init__()
        draw = np.random.default_rng(0)
        self.projections = [tf.Variable(draw.normal(size=(16, 16)).astype(np.float32)) for _ in range(3)]

    @tf.function(input_signature=[tf.TensorSpec((None, 6, 16), name="tokens")])  # type: ignore[untyped-decorator]
    def serve(self, tokens: Any) -> dict[str, Any]:
        query, key, value = (tf.einsum("bsd,de->bse", tokens, weights) for weights in self.projections)
        mixed = tf.matmul(tf.nn.softmax(tf.matmul(query, key, transpose_b=True) / 4), value) + tokens
        mean = tf.reduce_mean(mixed, -1, keepdims=True)
        variance = tf.reduce_mean(tf.math.squared_difference(mixed, mean), -1, keepdims=True)
        return {"y": (mixed - mean) * tf.math.rsqrt(variance + 1e-3)}


class Stateful(tf.Module):  # type: ignore[misc]  # TensorFlow is not typed
    """A variable that every call changes, so that samples read a second time have other ranges."""

    def __init__(self) -> None:
        super().__init__()
        self.state = tf.Variable(np.zeros((1, 4), np.float32))
        self.kernel = tf.Variable(np.random.default_rng(0).normal(size=(4, 4)).astype(np.float32))

    @tf.function(input_signature=[tf.TensorSpec((1, 4), name="x")])  # type: ignore[untyped-decorator]
    def serve(self, x: Any) -> dict[str, Any]:
        self.state.assign(self.state * 0.5 + tf.matmul(x, self.kernel))
        return {"y": tf.nn.relu(self.state)}


class Heads(tf.Module):  # type: ignore[misc]  # TensorFlow is not typed
    """Five outputs, an operator with two results, and constants of equal bytes, which the converter lets share them."""

    def __init__(self) -> None:
        super().__init__()
        self.kernel = tf.Variable(np.random.default_rng(0).normal(size=(3, 3, 4, 4)).astype(np.float32))

    @tf.function(input_signature=[tf.TensorSpec((1, 8, 8, 4), name="image")])  # type: ignore[untyped-decorator]
    def serve(self, image: Any) -> dict[str, Any]:
        left, right = tf.split(image, 2, 3)
        features = tf.nn.relu(tf.nn.conv2d(image, self.kernel, 1, "SAME"))
        return {
            "padded": tf.concat([tf.pad(left, [[0, 0], [1, 1], [1, 1], [0, 0]]), tf.ones((1, 10, 10, 2))], 3) * 2,
            "reversed": tf.reverse(right, [3]),
            "pooled": tf.nn.max_pool2d(features, 2, 2, "SAME"),
            "largest": tf.argmax(features, 3, tf.int32),
            "class": tf.nn.softmax(tf.reshape(image, (1, -1))),
        }


class TrainedForQuantization(tf.Module):  # type: ignore[misc]  # TensorFlow is not typed
    """A dense layer between fake quantizations, as training for quantization leaves it."""

    def __init__(self) -> None:
        super().__init__()
        self.kernel = tf.Variable(np.random.default_rng(0).normal(size=(8, 8)).astype(np.float32))

    @tf.function(input_signature=[tf.TensorSpec((None, 8), name="x")])  # type: ignore[untyped-decorator]
    def serve(self, x: Any) -> dict[str, Any]:
        x = tf.quantization.fake_quant_with_min_max_args(x, -3, 3)
        kernel = tf.quantization.fake_quant_with_min_max_args(self.kernel, -1, 1)
        return {"y": tf.quantization.fake_quant_with_min_max_args(tf.matmul(x, kernel), -5, 5)}


_MODULES = (
    Scorer,
    Conv3D,
    Flex,
    Custom,
    Half,
    FixedBatch,
    Attention,
    Stateful,
    Heads,
    TrainedForQuantization,
)


def _write(folder: Path) -> None:
    for module in (build() for build in _MODULES):
        tf.saved_model.save(module, str(folder / type(module).__name__), signatures={"serving_default": module.serve})
    _write_version_1(folder / "Version1")
    for name, batch in (("Recurrent", 1), ("RecurrentAnyBatch", None)):
        module = Recurrent()
        serve = tf.function(module.serve).get_concrete_function(tf.TensorSpec((batch, 6, 3), name="sequence"))
        tf.saved_model.save(module, str(folder / name), signatures={"serving_default": serve})
    sequence = tf_keras.Input((6, 3), batch_size=1, name="sequence")
    lstm = tf_keras.Model(sequence, tf_keras.layers.LSTM(4)(sequence))
    serve = tf.function(lambda sequence: {"y": lstm(sequence)}).get_concrete_function(
        tf.TensorSpec((1, 6, 3), name="sequence")
    )
    tf.saved_model.save(lstm, str(folder / "FusedLstm"), signatures={"serving_default": serve})


def _write_version_1(folder: Path) -> None:
    """A dense layer in a SavedModel of TensorFlow 1, which holds a graph and no objects."""
    weights = np.random.default_rng(0).normal(size=(4, 4)).astype(np.float32)
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        x = tf.compat.v1.placeholder(tf.float32, (None, 4), name="x")
        tf.compat.v1.saved_model.simple_save(session, str(folder), {"x": x}, {"y": tf.nn.relu(tf.matmul(x, weights))})


if __name__ == "__main__":
    _write(Path(sys.argv[1]))
