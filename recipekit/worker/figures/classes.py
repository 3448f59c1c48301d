"""Which class each model took a sample for, where labels and outputs are such that this can be asked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from recipekit.contracts.figures import ClassCounts

_CLASS_METRICS = frozenset({"top1_accuracy", "topk_accuracy", "precision", "recall", "f1", "roc_auc"})


def threshold_of(metrics: Mapping[str, Mapping[str, Any]], output: str) -> float | None:
    """From which score on a single column means the second class.

    Args:
        metrics: parameters of the recipe's task metrics by name.
        output: that is asked about.

    Returns:
        The threshold of the first metric of classes that is computed on the output; None where there is none, and a
        single column is no score of a class then.
    """
    for name, parameters in metrics.items():
        if name in _CLASS_METRICS and parameters.get("output") in {None, output}:
            return float(parameters.get("threshold", 0.5))
    return None


class ClassTally:
    """Counts predictions of both models by label, until a sample shows that labels aren't classes of the output."""

    def __init__(self, output: str, threshold: float | None) -> None:
        """Counts nothing yet.

        Args:
            output: whose labels count where a sample has one for each of several outputs.
            threshold: see `threshold_of`.
        """
        self._output = output
        self._threshold = threshold
        self._counts: tuple[Counter[tuple[int, int]], Counter[tuple[int, int]]] = (Counter(), Counter())
        self._classes = 0
        self._possible = True

    def add(self, label: Any, float_scores: npt.NDArray[Any], converted_scores: npt.NDArray[Any]) -> None:
        """Counts one sample; scores are the output's values for it."""
        if not self._possible:
            return
        if isinstance(label, Mapping):
            label = label.get(self._output)
        classes = max(2, float_scores.size)
        single = float_scores.size == 1
        self._possible = (
            float_scores.ndim <= 1
            and not (single and self._threshold is None)
            and self._classes in {0, classes}
            and _is_index(label, classes)
        )
        if not self._possible:
            return
        self._classes = classes
        for counts, scores in zip(self._counts, (float_scores, converted_scores), strict=True):
            predicted = int(scores.item() >= self._threshold) if single else int(scores.argmax())
            counts[int(label), predicted] += 1

    def result(self) -> ClassCounts | None:
        """The counts; None where labels aren't classes, or there were no samples."""
        if not self._possible or not self._classes:
            return None
        float_counts, converted_counts = (
            tuple((label, predicted, count) for (label, predicted), count in sorted(counts.items()))
            for counts in self._counts
        )
        return ClassCounts(classes=self._classes, float_counts=float_counts, converted_counts=converted_counts)


def _is_index(label: Any, classes: int) -> bool:
    """Whether a label is a class, counted from 0; a whole number of a floating-point dtype counts."""
    if label is None or isinstance(label, str | bytes):
        return False
    try:
        value = np.asarray(label)
    except ValueError:
        return False
    return bool(value.ndim == 0 and value.dtype.kind in "biuf" and 0 <= value < classes and value == np.floor(value))
