"""What every task metric does first: choose an output, and bring it and the labels into the form that is scored.

It knows nothing of any particular metric.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from recipekit.errors import DatasetError, EvaluationError

Outputs = Mapping[str, npt.NDArray[Any]]


def chosen(outputs: Outputs, output: str | None) -> npt.NDArray[Any]:
    """The output that a metric is computed on.

    Args:
        outputs: arrays by output name, first axis = samples.
        output: the name given in the recipe; None where the model has one output.

    Raises:
        EvaluationError: no output has the name, or none was named and the model has several.
    """
    names = ", ".join(sorted(outputs))
    if output is None:
        if len(outputs) != 1:
            raise EvaluationError(
                f"the model has the outputs {names}, and the metric doesn't say which one it is computed on",
                where="evaluation.metrics",
                fix="give the metric `output: NAME`",
            )
        return next(iter(outputs.values()))
    if output not in outputs:
        raise EvaluationError(
            f"the model has no output '{output}'", where="evaluation.metrics", fix=f"name one of {names}"
        )
    return outputs[output]


def class_scores(outputs: Outputs, output: str | None) -> npt.NDArray[Any]:
    """The chosen output as scores of shape (samples, classes).

    A single column is the score of the second of two classes.

    Raises:
        EvaluationError: the output has another number of dimensions.
    """
    scores = chosen(outputs, output)
    if scores.ndim == 1:
        return scores[:, np.newaxis]
    if scores.ndim != 2:
        raise EvaluationError(
            f"an output of shape {scores.shape[1:]} a sample is not one score for each class",
            where="evaluation.metrics",
            fix="name an output with one dimension, or use another metric",
        )
    return scores


def predicted_classes(scores: npt.NDArray[Any], threshold: float) -> npt.NDArray[np.intp]:
    """The class with the highest score, the first of equals; of a single column, whether it reaches the threshold."""
    if scores.shape[1] == 1:
        return (scores[:, 0] >= threshold).astype(np.intp)
    highest: npt.NDArray[np.intp] = scores.argmax(axis=1)
    return highest


def class_labels(labels: npt.NDArray[Any], scores: npt.NDArray[Any]) -> npt.NDArray[np.intp]:
    """Labels as class indices, shape (samples,).

    Raises:
        DatasetError: a label isn't an index of one of the output's classes.
    """
    classes = max(2, scores.shape[1])
    if labels.shape != (len(scores),) or labels.dtype.kind not in "biuf":
        raise DatasetError(
            f"{described(labels)} are not class indices",
            fix="give each sample one class index, counted from 0, as its label",
        )
    with np.errstate(invalid="ignore"):
        indices = labels.astype(np.intp)
    wrong = np.flatnonzero((indices != labels) | (indices < 0) | (indices >= classes))
    if wrong.size:
        raise DatasetError(
            f"the label {labels[wrong[0]]} of sample {wrong[0]} is none of the classes 0 to {classes - 1}",
            fix="give each sample one class index, counted from 0, as its label",
        )
    return indices


def described(labels: npt.NDArray[Any]) -> str:
    """What a message calls labels that don't fit."""
    if labels.dtype.kind == "O":
        return "labels of different shapes"
    return f"labels of shape {labels.shape[1:]} and dtype {labels.dtype}"


def present(weights: npt.NDArray[np.float64] | None, samples: int) -> npt.NDArray[np.bool_]:
    """Which samples count at all, shape (samples,): those of a weight above 0, or all of them without weights."""
    return np.ones(samples, np.bool_) if weights is None else weights > 0
