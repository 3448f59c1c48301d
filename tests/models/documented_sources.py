"""The project that docs/sources.md speaks of: `python documented_sources.py FOLDER`.

It runs in a child process, because the test process never imports TensorFlow.
"""

from __future__ import annotations

import sys
from pathlib import Path

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


def _coder(folder: Path) -> None:
    """A model with two signatures, and samples for both."""
    x, embedding = keras.Input((8,), name="x"), keras.Input((4,), name="embedding")
    encoder = keras.Model(x, keras.layers.Dense(4, activation="relu", name="embedding")(x))
    decoder = keras.Model(embedding, keras.layers.Dense(8, name="y")(embedding))
    archive = keras.export.ExportArchive()
    archive.track(encoder)
    archive.track(decoder)
    for name, model, size in (("encode", encoder, 8), ("decode", decoder, 4)):
        specs = [tf.TensorSpec((None, size), name=model.input_names[0])]
        archive.add_endpoint(name, lambda tensor, model=model: {model.output_names[0]: model(tensor)}, specs)
    archive.write_out(folder / "models" / "coder", verbose=False)
    data = folder / "data"
    data.mkdir()
    for prefix, seed in (("", 0), ("test_", 1)):
        points = np.random.default_rng(seed).normal(size=(100, 8)).astype(np.float32)
        np.savez(data / f"{prefix}points.npz", x=points)
        embeddings = encoder.predict(points, verbose=0)
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
