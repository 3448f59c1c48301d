"""What the steps of tensorflow-model-optimization have in common: some layers of a model wrapped, and its refusals."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import tf_keras

from recipekit.errors import OptimizationError, first_line
from recipekit.worker.optimization.weights import LayerWeight

Train = Callable[[Any, Sequence[Any]], None]
"""Trains a model with callbacks."""


def wrapped(model: Any, chosen: Sequence[LayerWeight], wrap: Callable[[Any, LayerWeight], Any], step: str) -> Any:
    """A copy of a functional tf_keras model with some of its layers wrapped.

    Args:
        model: functional.
        chosen: weights of the layers.
        wrap: gives the wrapper of a layer, which is a copy, with the chosen weight of the original.
        step: the recipe's key of what the wrappers are for.

    Raises:
        OptimizationError: a wrapper refuses its layer.
    """
    weights = {weight.layer: weight for weight in chosen}
    copy = own_copy(model)
    try:
        return tf_keras.models.clone_model(
            copy, clone_function=lambda layer: wrap(layer, weights[layer.name]) if layer.name in weights else layer
        )
    except ValueError as error:
        raise refused(step, error) from error


def own_copy(model: Any) -> Any:
    """A copy that shares no layer with the model; wrappers write into the layers that they are given."""
    copy = tf_keras.models.clone_model(model)
    copy.set_weights(model.get_weights())
    return copy


_WITHOUT = "leave the layer or the step out; the log holds the whole traceback"


def refused(step: str, error: Exception, fix: str = _WITHOUT) -> OptimizationError:
    """The typed error for what the package raised."""
    return OptimizationError(
        f"tensorflow-model-optimization refuses the model: {first_line(error)}",
        where=f"optimize.{step}",
        fix=fix,
    )
