"""tensorflow-model-optimization beside Keras 3, in the process where everything else runs.

The package works on tf_keras. Where `tf.keras` is Keras 3 it takes tf_keras by itself, but it first asks TensorFlow, by
an environment variable, to make `tf.keras` tf_keras for everybody. So `tf.keras` is resolved before, and the variable
put back after.
"""

from __future__ import annotations

import importlib
import os
from typing import Any

import tensorflow as tf

from recipekit.errors import EnvironmentFault

_VARIABLE = "TF_USE_LEGACY_KERAS"


def load_toolkit() -> Any:
    """The module `tensorflow_model_optimization`.

    Raises:
        EnvironmentFault: it isn't installed.
    """
    str(tf.keras.__version__)  # resolves the lazy module while the variable is as the user set it
    before = os.environ.get(_VARIABLE)
    try:
        return importlib.import_module("tensorflow_model_optimization")
    except ImportError as error:
        raise EnvironmentFault(
            f"pruning with training, clustering and quantization-aware training need a package: {error}",
            where="optimize",
            fix="pip install 'recipekit[optimize]'",
        ) from error
    finally:
        if before is None:
            os.environ.pop(_VARIABLE, None)
        else:
            os.environ[_VARIABLE] = before
