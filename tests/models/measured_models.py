"""Small converted models of every kind that the LiteRT worker measures: `python measured_models.py FOLDER`.

It runs in a child process, because the test process never imports TensorFlow.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

_SHAPE = (1, 8, 8, 3)


class Classifier(tf.Module):  # type: ignore[misc]  # TensorFlow is not typed
    """A convolution, a pooling and a dense layer: 8x8x3 images to probabilities of four classes."""

    def __init__(self) -> None:
        super().__init__()
        draw = np.random.default_rng(0)
        self.kernel = tf.Variable(draw.normal(0, 0.3, (3, 3, 3, 8)).astype(np.float32))
        self.weights = tf.Variable(draw.normal(0, 0.5, (128, 32)).astype(np.float32))
        self.head = tf.Variable(draw.normal(0, 0.5, (32, 4)).astype(np.float32))

    @tf.function(input_signature=[tf.TensorSpec(_SHAPE, tf.float32, name="image")])  # type: ignore[untyped-decorator]
    def serve(self, image: Any) -> dict[str, Any]:
        features = tf.nn.relu(tf.nn.conv2d(image, self.kernel, strides=2, padding="SAME"))
        hidden = tf.nn.relu(tf.matmul(tf.reshape(features, (1, 128)), self.weights))
        return {"probabilities": tf.nn.softmax(tf.matmul(hidden, self.head))}


class Twins(tf.Module):  # type: ignore[misc]  # TensorFlow is not typed
    """Two inputs and two outputs of equal shapes, in no alphabetical order: only names tell them apart."""

    @tf.function(  # type: ignore[untyped-decorator]
        input_signature=[tf.TensorSpec((1, 4), name="right"), tf.TensorSpec((1, 4), name="left")]
    )
    def serve(self, right: Any, left: Any) -> dict[str, Any]:
        return {"total": right + 2.0 * left, "difference": right - left}


class Mixed(tf.Module):  # type: ignore[misc]  # TensorFlow is not typed
    """A dynamic batch, an integer input and outputs of an integer and a boolean dtype."""

    @tf.function(  # type: ignore[untyped-decorator]
        input_signature=[tf.TensorSpec((None, None), tf.float32, name="x"), tf.TensorSpec((None,), tf.int32, name="n")]
    )
    def serve(self, x: Any, n: Any) -> dict[str, Any]:
        return {"doubled": 2.0 * x, "next": n + 1, "positive": x > 0.0}


class Reciprocal(tf.Module):  # type: ignore[misc]  # TensorFlow is not typed
    """Gives an infinity for a zero."""

    @tf.function(input_signature=[tf.TensorSpec((1, 2), tf.float32, name="x")])  # type: ignore[untyped-decorator]
    def serve(self, x: Any) -> dict[str, Any]:
        return {"y": 1.0 / x}


class Unsupported(tf.Module):  # type: ignore[misc]  # TensorFlow is not typed
    """An operator that TensorFlow Lite lacks."""

    @tf.function(input_signature=[tf.TensorSpec((1, 4), tf.float32, name="x")])  # type: ignore[untyped-decorator]
    def serve(self, x: Any) -> dict[str, Any]:
        return {"y": tf.linalg.det(tf.reshape(x, (1, 2, 2)))}


def _converter(module: Any, folder: Path) -> Any:
    tf.saved_model.save(module, str(folder), signatures={"serving_default": module.serve})
    return tf.lite.TFLiteConverter.from_saved_model(str(folder))


def _images() -> Iterator[dict[str, Any]]:
    draw = np.random.default_rng(1)
    for _ in range(32):
        yield {"image": draw.normal(0, 1, _SHAPE).astype(np.float32)}


def _int8(converter: Any) -> None:
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = _images
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = tf.int8
    converter.inference_output_type = tf.int8


def _uint8(converter: Any) -> None:
    _int8(converter)
    converter.inference_input_type = tf.uint8
    converter.inference_output_type = tf.uint8


def _int16x8(converter: Any) -> None:
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = _images
    converter.target_spec.supported_ops = [tf.lite.OpsSet.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8]
    converter.inference_input_type = tf.int16
    converter.inference_output_type = tf.int16


def _dynamic_range(converter: Any) -> None:
    converter.optimizations = [tf.lite.Optimize.DEFAULT]


def _float16(converter: Any) -> None:
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.target_spec.supported_types = [tf.float16]


def _flex(converter: Any) -> None:
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS, tf.lite.OpsSet.SELECT_TF_OPS]


def _custom(converter: Any) -> None:
    converter.allow_custom_ops = True


def _plain(converter: Any) -> None:
    """The float32 conversion, with nothing set."""


_SCHEMES: dict[str, tuple[Callable[[], Any], Callable[[Any], None]]] = {
    "float32": (Classifier, _plain),
    "int8": (Classifier, _int8),
    "uint8": (Classifier, _uint8),
    "int16x8": (Classifier, _int16x8),
    "dynamic_range": (Classifier, _dynamic_range),
    "float16": (Classifier, _float16),
    "twins": (Twins, _plain),
    "mixed": (Mixed, _plain),
    "reciprocal": (Reciprocal, _plain),
    "flex": (Unsupported, _flex),
    "custom": (Unsupported, _custom),
}


def build(folder: Path) -> None:
    """Writes every model into the folder, as `<name>.tflite`."""
    for name, (module, scheme) in _SCHEMES.items():
        converter = _converter(module(), folder / f"{name}_saved_model")
        scheme(converter)
        (folder / f"{name}.tflite").write_bytes(converter.convert())


if __name__ == "__main__":
    build(Path(sys.argv[1]))
