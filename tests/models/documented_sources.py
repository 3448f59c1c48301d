"""The project that docs/sources.md speaks of: `python documented_sources.py FOLDER`.

It runs in a child process, because the test process never imports TensorFlow.
"""

from __future__ import annotations

import sys
from pathlib import Path

import keras
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


def build(folder: Path) -> None:
    """Writes every file into the folder."""
    models = folder / "models"
    models.mkdir()
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
