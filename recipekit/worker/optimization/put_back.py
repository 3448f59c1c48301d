"""Zeros and equal values of some weights stay so while a model trains: they are put back after each step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf
import tf_keras

from recipekit.errors import OptimizationError
from recipekit.worker.optimization.weights import Array, LayerWeight


class PutBack(tf_keras.callbacks.Callback):  # type: ignore[misc]  # tf_keras is not typed
    """A callback that puts zeros to zero and the members of a cluster to their mean.

    The mean is where the members' common gradient would have led them.
    """

    def __init__(self, model: Any, weights: Sequence[LayerWeight]) -> None:
        """Takes the zeros and clusters as they are now.

        Args:
            model: what is about to be trained.
            weights: of the model that it was made of.

        Raises:
            OptimizationError: the model has no such weight.
        """
        super().__init__()
        values = [weight.values for weight in weights]
        variables = [counterpart(model, weight).variable for weight in weights]
        self._kept = [
            (variable, tf.constant(array != 0), *_clusters(array))
            for variable, array in zip(variables, values, strict=True)
        ]

    @tf.function  # type: ignore[untyped-decorator]  # TensorFlow is not typed
    def put_back(self) -> None:
        """Changes the variables."""
        for variable, mask, members, number in self._kept:
            values = tf.convert_to_tensor(variable)
            means = tf.math.unsorted_segment_mean(tf.reshape(values, [-1]), members, number)
            values = tf.reshape(tf.gather(means, members), values.shape)
            variable.assign(tf.where(mask, values, tf.zeros_like(values)))

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """See `put_back`."""
        del batch, logs
        self.put_back()


def counterpart(model: Any, weight: LayerWeight) -> LayerWeight:
    """The same weight in a model that was made of another one, by the names of layer and tensor.

    Raises:
        OptimizationError: there is none, since the layer was taken apart.
    """
    for variable in model.variables:
        name = variable.name.partition(":")[0]
        if name == weight.key or name.endswith(f"/{weight.key}"):
            return weight._replace(variable=variable)
    raise OptimizationError(
        f"tensorflow-model-optimization takes the layer '{weight.layer}' apart, so its zeros and clusters get lost",
        where="optimize",
        fix="leave that layer out with `layers` of `prune` and `cluster`",
    )


def _clusters(values: Array) -> tuple[Array, int]:
    """To which distinct value each element belongs, and how many there are; where none are equal, each is alone."""
    distinct, members = np.unique(values, return_inverse=True)
    return members.reshape(-1).astype(np.int32), len(distinct)
