"""Mean intersection over union of semantic segmentation, over all pixels of all samples."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from recipekit.errors import DatasetError, EvaluationError
from recipekit.worker.metrics.corpus import CorpusMetric
from recipekit.worker.metrics.predictions import Outputs, chosen, described


class MeanIoU(CorpusMetric):
    """Mean over classes of TP / (TP + FP + FN), counted in pixels.

    A class that is neither labelled nor predicted anywhere is left out, as in `tf.keras.metrics.MeanIoU`. A label is an
    array of class indices, such as HxW or HxWx1. The output holds scores of the classes along one more axis (HxWxC), or
    with `classes` the class indices themselves; a single score (HxWx1) is that of the second of two classes.
    """

    def __init__(
        self,
        classes: int | None = None,
        ignore_label: int | None = None,
        output: str | None = None,
        threshold: float = 0.5,
    ) -> None:
        """Sets the metric up.

        Args:
            classes: their number, for an output of class indices; None takes the last axis of an output of scores.
            ignore_label: pixels with this label don't count, whatever is predicted there; often 255.
            output: the output with the prediction; needed where the model has several.
            threshold: of a single score, from which on it means the second class.

        Raises:
            EvaluationError: `classes` is below 2.
        """
        super().__init__()
        if classes is not None and classes < 2:
            raise EvaluationError(f"classes is {classes}", where="evaluation.metrics.mean_iou", fix="use 2 or more")
        self._classes = classes
        self._ignore_label = ignore_label
        self._output = output
        self._threshold = threshold

    def _counts(self, labels: npt.NDArray[Any], outputs: Outputs) -> npt.NDArray[np.float64]:
        """Of each sample and class: right pixels, labelled pixels, predicted pixels."""
        predictions = chosen(outputs, self._output)
        pixels = predictions.shape if self._classes is not None else predictions.shape[:-1]
        if labels.dtype.kind not in "biuf" or labels.shape not in (pixels, (*pixels, 1)):
            raise DatasetError(
                f"{described(labels)} are no classes of {pixels[1:]} pixels",
                fix="give each sample an array with one class index a pixel as its label; for an output of class "
                "indices give the metric `classes`",
            )
        classes = self._classes or max(2, predictions.shape[-1])
        rows = [
            self._count(index, label.reshape(-1), prediction, classes)
            for index, (label, prediction) in enumerate(zip(labels, predictions, strict=True))
        ]
        return np.asarray(rows, np.float64)

    def _count(
        self, index: int, label: npt.NDArray[Any], prediction: npt.NDArray[Any], classes: int
    ) -> npt.NDArray[np.intp]:
        truth = label.astype(np.intp)
        guess = self._predicted(prediction).reshape(-1)
        kept = np.ones(truth.shape, np.bool_) if self._ignore_label is None else truth != self._ignore_label
        truth, guess = truth[kept], guess[kept]
        for what, values in (("label", truth), ("prediction", guess)):
            outside = values[(values < 0) | (values >= classes)]
            if outside.size:
                error = DatasetError if what == "label" else EvaluationError
                raise error(
                    f"the {what} {outside[0]} of sample {index} is none of the classes 0 to {classes - 1}",
                    fix="set `ignore_label` or `classes` of the metric, or correct the labels",
                )
        sides = (truth[truth == guess], truth, guess)
        return np.concatenate([np.bincount(side, minlength=classes) for side in sides])

    def _predicted(self, prediction: npt.NDArray[Any]) -> npt.NDArray[np.intp]:
        if self._classes is not None:
            return prediction.astype(np.intp)
        if prediction.shape[-1] == 1:
            return (prediction >= self._threshold).astype(np.intp)
        highest: npt.NDArray[np.intp] = prediction.argmax(axis=-1)
        return highest

    def _value(self, sums: npt.NDArray[np.float64]) -> float:
        right, labelled, predicted = np.split(sums, 3)
        union = labelled + predicted - right
        there = union > 0
        return float(np.mean(right[there] / union[there])) if there.any() else float("nan")
