"""Names that both Kerases and TensorFlow offer, as JSON: `python offered_names.py`.

It runs in a child process, because the test process never imports TensorFlow.
"""

from __future__ import annotations

import importlib
import json
from typing import Any

import keras
import tensorflow as tf
import tf_keras
from tensorflow.python.framework import op_def_registry
from tensorflow.python.util import tf_export

ROOMS = (
    *("layers", "models", "initializers", "regularizers", "constraints", "losses", "metrics", "optimizers"),
    *("optimizers.schedules", "dtype_policies", "quantizers", "mixed_precision", "activations", "random"),
)
"""Modules whose classes configurations name, and whose functions they name where those are no classes."""


def offered(package: Any) -> dict[str, list[str]]:
    """Classes and functions of a Keras, those with which configurations are written and read left out."""
    names: dict[str, set[str]] = {"classes": set(), "functions": set()}
    for room in ROOMS:
        try:
            module = importlib.import_module(f"{package.__name__}.{room}")
        except ModuleNotFoundError:
            continue
        for name in dir(module):
            value = getattr(module, name)
            if isinstance(value, type):
                names["classes"].add(name)
            elif callable(value) and room in {"activations", "losses", "metrics"} and not name.startswith("_"):
                names["functions"].add(name)
    return {kind: sorted(found - {"get", "serialize", "deserialize"}) for kind, found in names.items()}


def file_operators() -> list[str]:
    """Operators of TensorFlow with an argument or attribute that says path, file or address."""
    words = ("file", "path", "director", "address", "url")
    found = []
    for name in dir(tf.raw_ops):
        definition = op_def_registry.get(name)
        if definition is not None:
            arguments = [entry.name for entry in (*definition.input_arg, *definition.attr)]
            if any(word in argument for argument in arguments for word in words):
                found.append(name)
    return found


if __name__ == "__main__":
    names = {package.__name__: offered(package) for package in (keras, tf_keras)}
    symbols = [name for name in tf_export._NAME_TO_SYMBOL_MAPPING if not name.startswith("compat.")]
    print(json.dumps({**names, "operators": file_operators(), "symbols": symbols}))  # noqa: T201
