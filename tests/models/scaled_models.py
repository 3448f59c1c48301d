"""Scaling layers of either Keras in several places of a model: prints what is read out of each as JSON.

It runs in a child process, because the test process never imports TensorFlow.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
import tf_keras

from recipekit.worker.keras_model import from_keras


def models(library: Any) -> Iterator[tuple[str, Any]]:
    """Models by what is special about them."""
    layers = library.layers
    image = library.Input((4, 4, 3), name="image")
    end = layers.Dense(2)

    def pixels(tensor: Any) -> Any:
        return layers.Rescaling(1 / 255, name="pixels")(tensor)

    yield "rescaling", library.Model(image, end(pixels(image)))
    yield "augmented", library.Model(image, end(pixels(layers.RandomFlip()(image))))
    sequential = library.Sequential([library.Input((4, 4, 3), name="image"), layers.Rescaling(2.0, 1.0, name="inner")])
    yield "nested", library.Model(image, end(sequential(image)))
    adapted = layers.Normalization(mean=[10.0, 20.0, 30.0], variance=[4.0, 4.0, 4.0], name="adapted")
    yield "normalization", library.Model(image, end(adapted(image)))
    trained = layers.BatchNormalization(name="trained")
    untrained = layers.BatchNormalization(name="untrained")
    branched = library.Model(image, end(layers.Add()([pixels(image), layers.Rescaling(3.0)(image)])))
    yield "branched", branched
    yield "convolution", library.Model(image, layers.Conv2D(2, 3)(image))
    yield "untrained", library.Model(image, end(untrained(image)))
    model = library.Model(image, end(trained(image)))
    trained.set_weights([np.ones(3), np.zeros(3), np.full(3, 5.0), np.full(3, 16.0)])
    yield "batch normalization", model


def main() -> None:
    """Prints `{library: {model: [[name, kind, scale, offset] ...]}}`."""
    found = {
        library.__name__: {
            name: [
                [layer.name, layer.kind, round(layer.scale, 6), round(layer.offset, 6)]
                for layer in from_keras(model, "", "").first_layers
            ]
            for name, model in models(library)
        }
        for library in (keras, tf_keras)
    }
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main()
