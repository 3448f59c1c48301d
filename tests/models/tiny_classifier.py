"""A project around a tiny classifier with a layer of its own: `python tiny_classifier.py FOLDER`.

It runs in a child process, because the test process never imports TensorFlow. Its one metric is one that doesn't import
scikit-learn, which takes two seconds in every worker that measures.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import keras
import numpy as np

LAYER = '''
import keras

@keras.saving.register_keras_serializable("tiny")
class Gain(keras.layers.Layer):
    """Multiplies by a trained number."""

    def build(self, shape):
        self.gain = self.add_weight(name="gain", shape=(), initializer=keras.initializers.Constant(2.0))

    def call(self, inputs):
        return inputs * self.gain
'''

PLUGIN = '''
import numpy as np
from recipekit.contracts import DatasetContext, Sample
from recipekit.registry import register

@register("datasets", "two_clouds")
class TwoClouds:
    """Points around one of two centres; the label says which."""

    def __init__(self, context: DatasetContext, *, count: int = 40, first: int = 0) -> None:
        self._count, self._first = count, first

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: int) -> Sample:
        draw = np.random.default_rng(self._first + index)
        label = index % 2
        point = draw.normal(1.0 if label else -1.0, 0.5, 8).astype(np.float32)
        return Sample(id=f"point {self._first + index}", tensors={"point": point}, label=label)
'''

RECIPE = """# @package _global_
defaults:
  - /converter: int8
  - _self_
name: tiny
version: "1.0.0"
source: {kind: keras, path: models/tiny.keras, input_shapes: {point: [1, 8]}}
custom_layers: {modules: [layers/gain.py]}
representative_dataset: {plugin: two_clouds, modules: [plugins/two_clouds.py], count: 120, first: 1000}
evaluation:
  dataset: {plugin: two_clouds, modules: [plugins/two_clouds.py], count: 60}
  metrics: {top1_accuracy: {}}
  benchmark: {runs: 5, warmup: 1}
acceptance:
  parity: {sqnr_db: {min: 15}, argmax_agreement: {min: 0.95}}
  task: {top1_accuracy: {max_drop: 0.05}}
"""


def main(folder: Path) -> None:
    """Writes the project: the trained model, its layer, a dataset plugin and a recipe."""
    for name, text in (
        ("layers/gain.py", LAYER),
        ("plugins/two_clouds.py", PLUGIN),
        ("recipes/tiny.yaml", RECIPE),
    ):
        (folder / name).parent.mkdir(parents=True)
        (folder / name).write_text(text.lstrip())
    (folder / "models").mkdir()
    sys.path.insert(0, str(folder / "layers"))
    gain = importlib.import_module("gain")

    keras.utils.set_random_seed(0)
    point = keras.Input((8,), name="point")
    hidden = keras.layers.Dense(16, activation="relu")(gain.Gain()(point))
    model = keras.Model(point, keras.layers.Dense(2, activation="softmax", name="cloud")(hidden))
    labels = np.arange(200) % 2
    points = np.random.default_rng(7).normal(labels[:, None] * 2.0 - 1.0, 0.5, (200, 8)).astype(np.float32)
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(points, labels, epochs=8, verbose=0)
    model.save(folder / "models" / "tiny.keras")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
