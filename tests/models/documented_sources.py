"""The project that docs/sources.md speaks of: `python documented_sources.py FOLDER`.

It runs in a child process, because the test process never imports TensorFlow.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

FACTORY = """
import keras

def build(units):
    x = keras.Input((8,), name="x")
    return keras.Model(x, keras.layers.Dense(units, name="scores")(x))
"""


def _graph(path: Path) -> None:
    with tf.Graph().as_default() as graph:
        x = tf.compat.v1.placeholder(tf.float32, (None, 8), name="feed/x")
        tf.nn.softmax(tf.matmul(x, tf.constant([[1.0, -1.0]] * 8)), name="scores")
        path.write_bytes(graph.as_graph_def().SerializeToString())


class Coder(tf.Module):  # type: ignore[misc]  # TensorFlow is not typed
    """Four numbers of eight, and eight of four."""

    def __init__(self) -> None:
        super().__init__()
        draw = np.random.default_rng(0)
        self.forth = tf.Variable(draw.normal(size=(8, 4)).astype(np.float32))
        self.back = tf.Variable(draw.normal(size=(4, 8)).astype(np.float32))

    @tf.function(input_signature=[tf.TensorSpec((None, 8), name="x")])  # type: ignore[untyped-decorator]
    def encode(self, x: Any) -> dict[str, Any]:
        return {"embedding": tf.nn.relu(tf.matmul(x, self.forth))}

    @tf.function(input_signature=[tf.TensorSpec((None, 4), name="embedding")])  # type: ignore[untyped-decorator]
    def decode(self, embedding: Any) -> dict[str, Any]:
        return {"y": tf.matmul(embedding, self.back)}


def _coder(folder: Path) -> None:
    """A model with two signatures, and samples for both."""
    coder = Coder()
    signatures = {"encode": coder.encode, "decode": coder.decode}
    tf.saved_model.save(coder, str(folder / "models" / "coder"), signatures=signatures)
    data = folder / "data"
    data.mkdir()
    for prefix, seed in (("", 1), ("test_", 2)):
        points = np.random.default_rng(seed).normal(size=(100, 8)).astype(np.float32)
        embeddings = coder.encode(tf.constant(points))["embedding"].numpy()
        np.savez(data / f"{prefix}points.npz", x=points)
        np.savez(data / f"{prefix}embeddings.npz", embedding=embeddings, labels=points)


def build(folder: Path) -> None:
    """Writes every file into the folder."""
    models = folder / "models"
    models.mkdir()
    _coder(folder)
    (folder / "my_models.py").write_text(FACTORY)
    x = keras.Input((8,), name="x")
    hidden = keras.layers.Dense(256, activation="relu")(x)
    classifier = keras.Model(x, keras.layers.Dense(3, name="scores")(hidden))
    classifier.save(models / "classifier.keras")
    classifier.export(models / "exported", verbose=False)
    converter = tf.lite.TFLiteConverter.from_saved_model(str(models / "exported"))
    (models / "classifier.tflite").write_bytes(converter.convert())
    _graph(models / "graph.pb")
    keras.applications.MobileNet(
        weights=None, input_shape=(32, 32, 3), alpha=0.25, include_top=False, pooling="avg"
    ).save_weights(models / "mobilenet.weights.h5")


if __name__ == "__main__":
    build(Path(sys.argv[1]))
