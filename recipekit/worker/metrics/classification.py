"""Precision, recall, F1 and the area under the ROC curve, as scikit-learn computes them.

Weights count like copies of samples, so a sample of weight 0 isn't there.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
from sklearn.metrics import f1_score, precision_score, recall_score, roc_auc_score

from recipekit.errors import DatasetError, EvaluationError
from recipekit.worker.metrics.predictions import Outputs, class_labels, class_scores, predicted_classes, present

_AVERAGES = ("macro", "micro", "weighted", "binary")


class _ClassMetric:
    """A metric of each class, put together over the classes; where it is undefined for a class it counts as 0."""

    higher_is_better = True
    _compute: ClassVar[Callable[..., float]]

    def __init__(self, average: str = "macro", output: str | None = None, threshold: float = 0.5) -> None:
        """Sets the metric up.

        Args:
            average: how classes are put together, in scikit-learn's terms: `macro`, `micro`, `weighted` or `binary`.
            output: the output with the scores; needed where the model has several.
            threshold: of a single score, from which on it means the second class.

        Raises:
            EvaluationError: there is no such average.
        """
        if average not in _AVERAGES:
            raise EvaluationError(
                f"there is no average '{average}'", where="evaluation.metrics", fix=f"use one of {', '.join(_AVERAGES)}"
            )
        self._average = average
        self._output = output
        self._threshold = threshold

    def score(self, labels: npt.NDArray[Any], outputs: Outputs, weights: npt.NDArray[np.float64] | None) -> float:
        """The metric of weighted samples; see `contracts.Metric`.

        Raises:
            EvaluationError: the average is `binary` and the output has more than two classes.
        """
        scores = class_scores(outputs, self._output)
        if self._average == "binary" and scores.shape[1] > 2:
            raise EvaluationError(
                f"the average 'binary' doesn't fit an output of {scores.shape[1]} classes",
                where="evaluation.metrics",
                fix="use `average: macro`, `micro` or `weighted`",
            )
        kept = present(weights, len(scores))
        value = type(self)._compute(
            class_labels(labels, scores)[kept],
            predicted_classes(scores, self._threshold)[kept],
            average=self._average,
            sample_weight=None if weights is None else weights[kept],
            zero_division=0.0,
        )
        return float(value)

    def hits(self, labels: npt.NDArray[Any], outputs: Outputs) -> None:
        """None: the metric is no share of right samples."""


class Precision(_ClassMetric):
    """Share of right ones among the samples predicted as a class."""

    _compute = staticmethod(precision_score)


class Recall(_ClassMetric):
    """Share of found ones among the samples of a class."""

    _compute = staticmethod(recall_score)


class F1(_ClassMetric):
    """Harmonic mean of precision and recall."""

    _compute = staticmethod(f1_score)


class RocAuc:
    """Area under the ROC curve: of the second class of two, else the mean over each class against the rest.

    The mean is scikit-learn's `multi_class="ovr"` with `average="macro"`. Rows need not sum to 1, so logits and
    quantized probabilities are welcome.
    """

    higher_is_better = True

    def __init__(self, multi_class: str = "ovr", output: str | None = None) -> None:
        """Sets the metric up.

        Args:
            multi_class: `ovr`, one class against the rest; one against one has no form for weighted samples.
            output: the output with the scores; needed where the model has several.

        Raises:
            EvaluationError: `multi_class` is something else.
        """
        if multi_class != "ovr":
            raise EvaluationError(
                f"there is no multi_class '{multi_class}' here", where="evaluation.metrics.roc_auc", fix="use 'ovr'"
            )
        self._output = output

    def score(self, labels: npt.NDArray[Any], outputs: Outputs, weights: npt.NDArray[np.float64] | None) -> float:
        """The area over weighted samples, NaN where all samples of a class have weight 0; see `contracts.Metric`.

        Raises:
            DatasetError: some class has no sample.
        """
        scores = class_scores(outputs, self._output)
        classes = np.arange(max(2, scores.shape[1]))
        indices = class_labels(labels, scores)
        _require_all_classes(indices, len(classes))
        kept = present(weights, len(scores))
        truth = indices[kept, np.newaxis] == classes
        if not truth.any(axis=0).all():
            return float("nan")
        weights = None if weights is None else weights[kept]
        if len(classes) == 2:
            return float(roc_auc_score(truth[:, 1], scores[kept, -1], sample_weight=weights))
        return float(roc_auc_score(truth, scores[kept], average="macro", sample_weight=weights))

    def hits(self, labels: npt.NDArray[Any], outputs: Outputs) -> None:
        """None: the metric is no share of right samples."""


def _require_all_classes(labels: npt.NDArray[np.intp], classes: int) -> None:
    counts = np.bincount(labels, minlength=classes)
    if not counts.all():
        raise DatasetError(
            f"no sample is of class {counts.argmin()}, so its ROC curve is undefined",
            fix="evaluate samples of all classes",
        )
