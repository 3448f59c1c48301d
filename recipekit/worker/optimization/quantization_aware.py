"""Quantization-aware training by tensorflow-model-optimization: 8-bit arithmetic is simulated, its ranges learnt."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf
import tf_keras

from recipekit.errors import OptimizationError
from recipekit.worker.optimization.toolkit import load_toolkit
from recipekit.worker.optimization.weights import Array, LayerWeight
from recipekit.worker.optimization.wrapped_layers import Train, refused

STEP = "quantization_aware_training"


def train_for_quantization(model: Any, kept: Sequence[LayerWeight], train: Train) -> Any:
    """Gives a model with simulated quantization, trained; zeros and equal values of some weights stay so.

    The package's own schemes for that share one switch between all layers, which the first layer without zeros turns
    off for the others, and they pass over a layer that has a ReLU layer behind it. So after each step the weights are
    put back here: zeros to zero, and the members of a cluster to their mean, which is where their common gradient
    would have led them.

    Args:
        model: functional, of tf_keras.
        kept: weights of it whose zeros and equal values stay.
        train: the training.

    Raises:
        OptimizationError: the package can't quantize a layer.
    """
    quantization = load_toolkit().quantization.keras
    try:
        simulating = quantization.quantize_apply(quantization.quantize_annotate_model(model))
    except (ValueError, RuntimeError) as error:
        raise refused(STEP, error) from error
    train(simulating, [_PutBack([(counterpart(simulating, weight).variable, weight.values) for weight in kept])])
    return simulating


def counterpart(model: Any, weight: LayerWeight) -> LayerWeight:
    """The same weight in a model that was made of another one, by the names of layer and tensor.

    Raises:
        OptimizationError: there is none, since the package took the layer apart.
    """
    for variable in model.variables:
        name = variable.name.partition(":")[0]
        if name == weight.key or name.endswith(f"/{weight.key}"):
            return weight._replace(variable=variable)
    raise OptimizationError(
        f"quantization-aware training takes the layer '{weight.layer}' apart, so its sparsity and clusters get lost",
        where=f"optimize.{STEP}",
        fix="leave that layer out with `layers` of `prune` and `cluster`",
    )


class _PutBack(tf_keras.callbacks.Callback):  # type: ignore[misc]  # tf_keras is not typed
    """Puts zeros and clusters back after each step."""

    def __init__(self, kept: Sequence[tuple[Any, Array]]) -> None:
        super().__init__()
        self._kept = [(variable, tf.constant(values != 0), *_clusters(values)) for variable, values in kept]

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


def _clusters(values: Array) -> tuple[Array, int]:
    """To which distinct value each element belongs, and how many there are; of unclustered weights each is alone."""
    distinct, members = np.unique(values, return_inverse=True)
    return members.reshape(-1).astype(np.int32), len(distinct)
