"""Keras models of half and mixed dtype policies, each beside the same model in float32: `python half_models.py FOLDER`.

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


def _model(package: Any, policy: str, own: Any = None) -> Any:
    """A convolution, a model in a model, and scores in float32, as the guide to mixed precision has it."""
    policies = package.mixed_precision if package is tf_keras else package.config
    setter = policies.set_global_policy if package is tf_keras else policies.set_dtype_policy
    package.backend.clear_session()
    setter(policy)
    image = package.Input((8, 8, 3), name="image")
    features = package.layers.Conv2D(4, 3, activation="relu")(image)
    features = package.layers.BatchNormalization()(features)
    if own is not None:
        features = own.Scale(3.0, name="own")(features)
    inner = package.Sequential([package.Input((6, 6, 4)), package.layers.DepthwiseConv2D(3)], name="inner")
    pooled = package.layers.GlobalAveragePooling2D()(inner(features))
    model = package.Model(image, package.layers.Dense(3, name="scores", dtype="float32")(pooled))
    setter("float32")
    draw = np.random.default_rng(0)
    model.set_weights([draw.uniform(0.5, 1, weight.shape) for weight in model.get_weights()])
    return model


def build(folder: Path) -> None:
    """Writes every model into the folder."""
    sys.path.insert(0, str(Path(__file__).with_name("project")))
    own = importlib.import_module("layers.scale")
    for policy in ("float32", "mixed_float16", "mixed_bfloat16", "float16"):
        _model(keras, policy).save(folder / f"{policy}.keras")
    _model(keras, "mixed_float16").save(folder / "mixed_float16.h5")
    _model(keras, "mixed_float16", own).save(folder / "own_layer.keras")
    for policy in ("float32", "mixed_float16"):
        _model(tf_keras, policy).save(folder / f"legacy_{policy}.h5")
    _model(tf_keras, "mixed_float16").save(folder / "legacy_mixed_float16.keras")


if __name__ == "__main__":
    build(Path(sys.argv[1]))
