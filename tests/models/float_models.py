"""Small float models of every kind that a source reads: `python float_models.py FOLDER`.

It runs in a child process, because the test process never imports TensorFlow.
"""

from __future__ import annotations

import importlib
import shutil
import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
import tf_keras
from tensorflow.core.protobuf import saved_model_pb2


def _keras_3(folder: Path, own: Any) -> None:
    zeta, alpha = keras.Input((4,), name="zeta"), keras.Input((4,), name="alpha")
    difference = keras.layers.Subtract(name="difference")([zeta, keras.layers.Rescaling(2.0)(alpha)])
    total = keras.layers.Add(name="a_total")([zeta, alpha])
    two = keras.Model([zeta, alpha], [keras.layers.Dense(2, name="scores")(difference), total])
    two.save(folder / "two_inputs.keras")
    two.save(folder / "two_inputs.h5")
    spaced = keras.Input((4,), name="side view"), keras.Input((4,), name="class")
    keras.Model(spaced, keras.layers.Subtract(name="difference")(spaced)).save(folder / "odd_names.keras")

    x = keras.Input((4,), name="x")
    shared = keras.layers.Dense(4, name="shared")
    keras.Model(x, [shared(x), shared(shared(x))]).save(folder / "shared.keras")
    keras.Sequential([keras.Input((4,)), keras.layers.Dense(2, name="scores")]).save(folder / "sequential.keras")
    image = keras.Input((None, None, 3), name="image")
    features = keras.layers.Conv2D(2, 3, padding="same", name="map")(image)
    keras.Model(image, features).save(folder / "map.keras")
    mean = keras.layers.GlobalAveragePooling2D(name="mean")(features)
    keras.Model(image, mean).save(folder / "image.keras")
    keras.Model(image, keras.layers.Dense(3, name="scores")(mean)).save(folder / "any_size.keras")

    for layer in (own.Scale(3.0, name="own"), own.Shift(3.0, name="own"), own.Forgetful(3.0, name="own")):
        keras.Model(x, layer(x)).save(folder / f"{type(layer).__name__.lower()}.keras")
    keras.Model(x, own.Scale(3.0, name="own")(x)).save(folder / "scale.h5")
    keras.Model(x, own.Nameless(3.0)(x)).save(folder / "nameless.keras")
    row = np.ones((1, 4), np.float32)
    net, two_arguments = own.Net(name="net"), own.TwoArguments(name="net")
    net({"zeta": row, "alpha": row})
    net.save(folder / "net.keras")
    two_arguments(row, row)
    two_arguments.save(folder / "two_arguments.keras")

    inner = keras.Model(x, keras.layers.Lambda(lambda t: t * 2.0, name="double")(x), name="inner")
    keras.Model(x, inner(x), name="outer").save(folder / "lambda.keras")
    compiled = keras.Model(x, keras.layers.Dense(1)(x))
    compiled.compile(loss=lambda truth, guess: keras.ops.mean(truth - guess))
    compiled.save(folder / "lambda_loss.keras")


class LegacyScale(tf_keras.layers.Layer):  # type: ignore[misc]  # Keras is not typed
    """A layer of Keras 2 that nobody registered."""

    def __init__(self, factor: float, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.factor = factor

    def call(self, inputs: Any) -> Any:
        return inputs * self.factor

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "factor": self.factor}


def _keras_2(folder: Path) -> None:
    image = tf_keras.Input((8, 8, 3), name="image")
    features = tf_keras.layers.DepthwiseConv2D(3, name="depthwise")(image)
    pooled = tf_keras.layers.GlobalAveragePooling2D()(features)
    model = tf_keras.Model(image, tf_keras.layers.Dense(2, name="scores")(pooled))
    model.save(folder / "legacy.h5")
    model.save(folder / "legacy.keras")
    model.save_weights(folder / "weights.h5")

    x = tf_keras.Input((4,), name="x")
    trained = tf_keras.Model(x, tf_keras.layers.Dense(2, name="scores")(x))
    trained.compile(tf_keras.optimizers.legacy.Adam(), "mse")
    trained.fit(np.ones((4, 4), np.float32), np.ones((4, 2), np.float32), verbose=0)
    trained.save(folder / "slots")
    tf_keras.Model(x, LegacyScale(3.0, name="own")(x)).save(folder / "legacy_scale.h5")
    doubled = tf_keras.layers.Lambda(lambda t: t * 2.0, name="double")(x)
    tf_keras.Model(x, doubled).save(folder / "lambda.h5")


def _without_object_types(source: Path, target: Path) -> None:
    """A copy whose optimizer is a plain object, so that TensorFlow's loader fails on its slots."""
    shutil.copytree(source, target)
    path = target / "saved_model.pb"
    saved_model = saved_model_pb2.SavedModel.FromString(path.read_bytes())
    for node in saved_model.meta_graphs[0].object_graph_def.nodes:
        if node.user_object.identifier == "optimizer":
            node.user_object.identifier = "_generic_user_object"
    path.write_bytes(saved_model.SerializeToString())


class Two(tf.Module):  # type: ignore[misc]  # TensorFlow is not typed
    """Two signatures and two inputs."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = tf.Variable([[1.0], [2.0], [3.0], [4.0]])

    @tf.function(  # type: ignore[untyped-decorator]
        input_signature=[tf.TensorSpec((None, 4), name="zeta"), tf.TensorSpec((None, 4), name="alpha")]
    )
    def difference(self, zeta: Any, alpha: Any) -> dict[str, Any]:
        return {"difference": tf.matmul(zeta, self.weight) - 2.0 * tf.matmul(alpha, self.weight), "a_sum": zeta + alpha}

    @tf.function(input_signature=[tf.TensorSpec((1, 2), name="x")])  # type: ignore[untyped-decorator]
    def reciprocal(self, x: Any) -> dict[str, Any]:
        return {"y": 1.0 / x}


class Reader(tf.Module):  # type: ignore[misc]  # TensorFlow is not typed
    """Reads a file that its input names."""

    @tf.function(input_signature=[tf.TensorSpec((), tf.string, name="path")])  # type: ignore[untyped-decorator]
    def read(self, path: Any) -> dict[str, Any]:
        return {"bytes": tf.io.read_file(path)}


def _application(folder: Path) -> None:
    """Weights of a model of keras.applications, from Keras 3 and in the form of the published ones."""
    arguments = {"input_shape": (32, 32, 3), "alpha": 0.25, "include_top": False, "weights": None}
    keras.applications.MobileNet(**arguments).save_weights(folder / "mobilenet.weights.h5")
    tf_keras.applications.MobileNet(**arguments).save_weights(folder / "mobilenet_published.h5")


def build(folder: Path) -> None:
    """Writes every model into the folder."""
    sys.path.insert(0, str(Path(__file__).with_name("project")))
    keras.utils.set_random_seed(0)
    _keras_3(folder, importlib.import_module("layers.scale"))
    _keras_2(folder)
    _application(folder)
    _without_object_types(folder / "slots", folder / "slots_without_types")
    two = Two()
    signatures = {"serving_default": two.difference, "reciprocal": two.reciprocal}
    tf.saved_model.save(two, str(folder / "two"), signatures=signatures)
    reader = Reader()
    tf.saved_model.save(reader, str(folder / "reads"), signatures={"serving_default": reader.read})


if __name__ == "__main__":
    build(Path(sys.argv[1]))
