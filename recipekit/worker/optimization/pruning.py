"""Magnitude pruning while training, by tensorflow-model-optimization.

The schedules are those of M. Zhu and S. Gupta, "To prune, or not to prune", 2017.
"""

from __future__ import annotations

from typing import Any

from recipekit.contracts import PruneSpec
from recipekit.worker.optimization.toolkit import load_toolkit
from recipekit.worker.optimization.weights import LayerWeight
from recipekit.worker.optimization.wrapped_layers import Train, own_copy, wrapped

_GROWTH = 0.75  # share of a training after which a polynomial schedule has reached its sparsity
_TURNS = 50  # it prunes at most so many times on the way


def prune_while_training(model: Any, weights: list[LayerWeight], spec: PruneSpec, steps: int, train: Train) -> Any:
    """Gives a pruned copy of a model.

    Args:
        model: functional, of tf_keras.
        weights: of the layers that are pruned.
        spec: sparsity and schedule.
        steps: number of steps of the training.
        train: the training.

    Raises:
        OptimizationError: the package refuses a layer.
    """
    sparsity = load_toolkit().sparsity.keras
    schedule = sparsity.ConstantSparsity(spec.sparsity, 0, frequency=1)
    if spec.schedule == "polynomial":
        growth = max(1, int(steps * _GROWTH))
        every = -(-growth // _TURNS)
        schedule = sparsity.PolynomialDecay(0.0, spec.sparsity, 0, growth - growth % every, frequency=every)

    def wrap(layer: Any, _: LayerWeight) -> Any:
        return sparsity.prune_low_magnitude(layer, pruning_schedule=schedule)

    pruning = wrapped(model, weights, wrap, "prune")
    train(pruning, [sparsity.UpdatePruningStep()])
    return own_copy(sparsity.strip_pruning(pruning))
