"""One-shot magnitude pruning: the smallest weights of each layer become zero, and nothing is trained.

It works on any Keras model of either generation and needs nothing but NumPy (S. Han et al., "Learning both Weights and
Connections for Efficient Neural Networks", 2015, section 3, its first step alone).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import numpy as np

from recipekit.worker.optimization.weights import Array, LayerWeight


def pruned(values: Array, sparsity: float) -> Array:
    """A copy in which the given share of elements is zero, to the nearest whole element: those of least magnitude.

    Of equal magnitudes the ones that come first go first, so that the number is exact.

    Args:
        values: of any shape.
        sparsity: between 0 and 1.
    """
    kept = np.array(values)
    count = round(values.size * sparsity)
    smallest = np.argsort(np.abs(values), axis=None, kind="stable")[:count]
    kept.reshape(-1)[smallest] = 0
    return kept


def prune(weights: Iterable[LayerWeight], sparsity: float) -> None:
    """Prunes weights where they stand."""
    for weight in weights:
        weight.variable.assign(pruned(weight.values, sparsity))


@contextmanager
def temporarily_pruned(weights: Iterable[LayerWeight], sparsity: float) -> Iterator[None]:
    """Prunes the weights of a model that others use, too, and gives it its own back at the end."""
    before = [(weight, weight.values) for weight in weights]
    try:
        prune([weight for weight, _ in before], sparsity)
        yield
    finally:
        for weight, values in before:
            weight.variable.assign(values)
