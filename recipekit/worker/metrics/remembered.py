"""Keeps what was computed from a model's outputs: a bootstrap scores the same outputs hundreds of times, weighted anew.

It knows no metric.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

import numpy.typing as npt

from recipekit.worker.metrics.predictions import Outputs

T = TypeVar("T")

_MODELS = 2  # the float one and the converted one


class Remembered(Generic[T]):
    """A function of labels and outputs that keeps its last two results.

    Arguments count as the same if they are the same objects; they must not be changed in between.
    """

    def __init__(self, compute: Callable[[npt.NDArray[Any], Outputs], T]) -> None:
        self._compute = compute
        self._known: list[tuple[npt.NDArray[Any], Outputs, T]] = []

    def __call__(self, labels: npt.NDArray[Any], outputs: Outputs) -> T:
        """The function's result, from memory where it is known."""
        for known_labels, known_outputs, result in self._known:
            if known_labels is labels and known_outputs is outputs:
                return result
        result = self._compute(labels, outputs)
        self._known = [*self._known, (labels, outputs, result)][-_MODELS:]
        return result
