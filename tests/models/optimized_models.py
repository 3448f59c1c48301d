"""Small Keras models to prune, cluster and train: `python optimized_models.py FOLDER`.

It runs in a child process, because the test process never imports TensorFlow.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tf_keras

IMAGE = (8, 8, 2)


def convolutional(package: Any) -> Any:
    """A small convolutional classifier, the same in either Keras."""
    layers = package.layers
    image = package.Input(IMAGE, name="image")
    x = layers.Conv2D(8, 3, use_bias=False, name="stem")(image)
    x = layers.BatchNormalization(name="stem_norm")(x)
    x = layers.ReLU(6.0, name="stem_relu")(x)
    x = layers.DepthwiseConv2D(3, name="depthwise")(x)
    x = layers.Conv2D(8, 1, activation="relu", name="mix")(x)
    x = layers.Flatten(name="flatten")(x)
    x = layers.Dense(16, activation="relu", name="hidden")(x)
    return package.Model(image, layers.Dense(4, activation="softmax", name="scores")(x))


def branched() -> Any:
    """Two inputs, two outputs, a layer used twice, a model inside of the model, and a skip."""
    layers = keras.layers
    inner_in = keras.Input((6,), name="features")
    inner = keras.Model(inner_in, layers.Dense(6, activation="tanh", name="inner_dense")(inner_in), name="inner")
    tail = keras.Sequential([keras.Input((6,)), layers.Dense(6, name="tail_dense"), layers.LeakyReLU(0.1)], name="tail")
    zeta, alpha = keras.Input((6,), name="zeta"), keras.Input((6,), name="alpha")
    shared = layers.Dense(6, kernel_regularizer="l2", name="shared")
    joined = layers.Add(name="joined")([shared(zeta), inner(shared(alpha))])
    first = layers.Dense(3, name="first")(tail(joined))
    second = layers.Concatenate(name="second")([zeta, joined])
    return keras.Model({"zeta": zeta, "alpha": alpha}, [second, first])


def with_own_layer() -> Any:
    """A model with a layer of the test project."""
    sys.path.insert(0, str(Path(__file__).parent / "project"))
    scale = importlib.import_module("layers.scale").Scale
    x = keras.Input((4,), name="x")
    return keras.Model(x, scale(2.0, name="doubled")(keras.layers.Dense(4, name="dense")(x)))


def shake(model: Any) -> None:
    """Random weights everywhere, normalizations included, so that nothing is the identity."""
    draw = np.random.default_rng(0)
    model.set_weights([np.abs(draw.normal(0.2, 0.3, array.shape)) + 0.01 for array in model.get_weights()])


def main(folder: Path) -> None:
    """Writes the models and a labelled dataset."""
    keras.utils.set_random_seed(0)
    tf_keras.utils.set_random_seed(0)
    model = convolutional(keras)
    draw = np.random.default_rng(1)
    labels = np.arange(96) % 4
    images = draw.normal(0, 0.4, (96, *IMAGE)).astype(np.float32)
    for row, label in enumerate(labels):
        images[row, label * 2 : label * 2 + 2] += 1
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(images, labels, epochs=10, verbose=0)
    model.save(folder / "small.keras")
    np.savez(folder / "train.npz", image=images, labels=labels)
    legacy = convolutional(tf_keras)
    shake(legacy)
    legacy.save(folder / "small.h5")
    zeta, alpha = draw.normal(size=(2, 96, 6)).astype(np.float32)
    values = np.concatenate([zeta, alpha], axis=1)
    np.savez(folder / "several.npz", zeta=zeta, alpha=alpha, kind=zeta[:, :3].argmax(axis=1), values=values)
    several = branched()
    shake(several)
    with_own_layer().save(folder / "own_layer.keras")
    several.save(folder / "branched.keras")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
