"""Errors of predicted numbers, as scikit-learn computes them: for several values the plain mean over the values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error

from recipekit.errors import DatasetError
from recipekit.worker.metrics.predictions import Outputs, chosen, described, present


class _Regression:
    """A metric of predicted numbers against labels of the same shape."""

    higher_is_better = False
    _least_samples = 1
    _compute: ClassVar[Callable[..., float]]

    def __init__(self, output: str | None = None) -> None:
        """Sets the metric up.

        Args:
            output: the output with the predictions; needed where the model has several.
        """
        self._output = output

    def score(self, labels: npt.NDArray[Any], outputs: Outputs, weights: npt.NDArray[np.float64] | None) -> float:
        """The metric of weighted samples; see `contracts.Metric`.

        Raises:
            DatasetError: labels aren't numbers, or not as many a sample as the output has.
        """
        predictions = chosen(outputs, self._output)
        single = predictions.shape[-1:] == (1,)
        if labels.shape not in (predictions.shape, predictions.shape[:-1] if single else predictions.shape):
            raise DatasetError(
                f"{described(labels)} can't be compared with outputs of shape {predictions.shape[1:]}",
                fix="give each sample an array like the output as its label",
            )
        if labels.dtype.kind not in "biuf":
            raise DatasetError(
                f"labels of dtype {labels.dtype} are not numbers",
                fix="give each sample a number or an array of numbers as its label",
            )
        if len(labels) < self._least_samples:
            raise DatasetError(
                f"the metric needs at least {self._least_samples} samples, got {len(labels)}",
                fix="evaluate more samples",
            )
        kept = present(weights, len(labels))
        rows = (int(kept.sum()), -1)
        value = type(self)._compute(
            labels[kept].reshape(rows).astype(np.float64),
            predictions[kept].reshape(rows).astype(np.float64),
            sample_weight=None if weights is None else weights[kept],
        )
        return float(value)

    def hits(self, labels: npt.NDArray[Any], outputs: Outputs) -> None:
        """None: the metric is no share of right samples."""


class MeanAbsoluteError(_Regression):
    """Mean absolute error."""

    _compute = staticmethod(mean_absolute_error)


class RootMeanSquaredError(_Regression):
    """Root of the mean squared error; for several values the mean of their roots."""

    _compute = staticmethod(root_mean_squared_error)


class R2(_Regression):
    """Coefficient of determination; where labels don't vary 1 for exact predictions, else 0. Needs two samples."""

    higher_is_better = True
    _least_samples = 2
    _compute = staticmethod(r2_score)
