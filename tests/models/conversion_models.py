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


def _write(folder: Path) -> None:
    for module in (Scorer(), Conv3D(), Flex(), Custom(), Half(), FixedBatch()):
        tf.saved_model.save(module, str(folder / type(module).__name__), signatures={"serving_default": module.serve})
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


if __name__ == "__main__":
    _write(Path(sys.argv[1]))
