"""Accuracies: shares of right samples, so both models can be counted against each other sample by sample."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from recipekit.errors import EvaluationError
from recipekit.worker.metrics.predictions import Outputs, class_labels, class_scores, predicted_classes


class Top1Accuracy:
    """Share of samples whose label has the highest score."""

    higher_is_better = True

    def __init__(self, output: str | None = None, threshold: float = 0.5) -> None:
        """Sets the metric up.

        Args:
            output: the output with the scores; needed where the model has several.
            threshold: of a single score, from which on it means the second class.
        """
        self._output = output
        self._threshold = threshold

    def score(self, labels: npt.NDArray[Any], outputs: Outputs, weights: npt.NDArray[np.float64] | None) -> float:
        """Weighted share of hits; see `contracts.Metric`."""
        return float(np.average(self.hits(labels, outputs), weights=weights))

    def hits(self, labels: npt.NDArray[Any], outputs: Outputs) -> npt.NDArray[np.bool_]:
        """Which samples are right, shape (samples,)."""
        scores = class_scores(outputs, self._output)
        right: npt.NDArray[np.bool_] = predicted_classes(scores, self._threshold) == class_labels(labels, scores)
        return right


class TopKAccuracy:
    """Share of samples whose label is among the k highest scores; of equal scores the lower index counts as higher."""

    higher_is_better = True

    def __init__(self, k: int = 5, output: str | None = None) -> None:
        """Sets the metric up.

        Args:
            k: how many of the highest scores count; at least 1.
            output: the output with the scores; needed where the model has several.

        Raises:
            EvaluationError: k is below 1.
        """
        if k < 1:
            raise EvaluationError(f"k is {k}", where="evaluation.metrics.topk_accuracy", fix="use 1 or more")
        self._k = k
        self._output = output

    def score(self, labels: npt.NDArray[Any], outputs: Outputs, weights: npt.NDArray[np.float64] | None) -> float:
        """Weighted share of hits; see `contracts.Metric`."""
        return float(np.average(self.hits(labels, outputs), weights=weights))

    def hits(self, labels: npt.NDArray[Any], outputs: Outputs) -> npt.NDArray[np.bool_]:
        """Which samples are right, shape (samples,).

        Raises:
            EvaluationError: the output has no more than k classes, so that every sample would be right.
        """
        scores = class_scores(outputs, self._output)
        if scores.shape[1] <= self._k:
            raise EvaluationError(
                f"k is {self._k}, but the output has {scores.shape[1]} classes, so every sample would be right",
                where="evaluation.metrics.topk_accuracy",
                fix="use a smaller k",
            )
        highest = np.argsort(-scores.astype(np.float64), axis=1, kind="stable")[:, : self._k]
        right: npt.NDArray[np.bool_] = (highest == class_labels(labels, scores)[:, np.newaxis]).any(axis=1)
        return right
