"""Metrics of a whole corpus that are made of sums over its samples: counts of pixels, of errors and words, of n-grams.

Each sample's share of the sums is computed once; a weight multiplies it, as that many copies of the sample would. It
knows no particular metric.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import numpy as np
import numpy.typing as npt

from recipekit.worker.metrics.predictions import Outputs
from recipekit.worker.metrics.remembered import Remembered


class CorpusMetric:
    """A metric that is a function of sums over the samples; it is no share of right samples."""

    higher_is_better = True

    def __init__(self) -> None:
        self._remembered = Remembered(self._counts)

    def score(self, labels: npt.NDArray[Any], outputs: Outputs, weights: npt.NDArray[np.float64] | None) -> float:
        """The metric of weighted samples; see `contracts.Metric`."""
        counts = self._remembered(labels, outputs)
        return self._value(counts.sum(axis=0) if weights is None else weights @ counts)

    def hits(self, labels: npt.NDArray[Any], outputs: Outputs) -> None:
        """None: the metric is no share of right samples."""

    @abstractmethod
    def _counts(self, labels: npt.NDArray[Any], outputs: Outputs) -> npt.NDArray[np.float64]:
        """What each sample adds to the sums, shape (samples, sums)."""

    @abstractmethod
    def _value(self, sums: npt.NDArray[np.float64]) -> float:
        """The metric that belongs to the sums, NaN where they leave it undefined."""
