"""Writes a classifier of digits with far more weights than it needs: `python -m tests.benchmarks.large_model FILE`.

Its weights are drawn: what counts is how often a process holds them.
"""

from __future__ import annotations

import sys
from pathlib import Path

import keras
from keras import layers


def main(path: Path) -> None:
    """Writes a model of 45 million weights, 180 MB, with the input `image` and the output `probabilities`."""
    keras.utils.set_random_seed(0)
    image = keras.Input((48, 48, 3), name="image")
    x = layers.Dense(4096, activation="relu")(layers.Flatten()(image))
    x = layers.Dense(4096, activation="relu")(x)
    keras.Model(image, layers.Dense(10, activation="softmax", name="probabilities")(x)).save(path)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
