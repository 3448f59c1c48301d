from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from recipekit.contracts.figures import ClassCounts
from recipekit.worker.figures.classes import ClassTally, threshold_of

SCORES = np.eye(3)


def tallied(labels: list[Any], scores: list[Any], threshold: float | None = None) -> ClassCounts | None:
    tally = ClassTally("logits", threshold)
    for label, float_scores in zip(labels, scores, strict=True):
        tally.add(label, np.asarray(float_scores), np.roll(np.asarray(float_scores), 1))
    return tally.result()


def test_each_model_has_its_own_counts() -> None:
    counts = tallied([0, 0, 2], [SCORES[0], SCORES[0], SCORES[1]])
    assert counts == ClassCounts(
        classes=3, float_counts=((0, 0, 2), (2, 1, 1)), converted_counts=((0, 1, 2), (2, 2, 1))
    )


@pytest.mark.parametrize("label", [np.int64(1), np.float32(1.0), {"logits": 1}, np.array(1)])
def test_a_whole_number_is_a_class_whatever_holds_it(label: Any) -> None:
    counts = tallied([label], [SCORES[1]])
    assert counts is not None
    assert counts.float_counts == ((1, 1, 1),)


@pytest.mark.parametrize("label", [None, "cat", 1.5, 3, -1, [0, 1], np.zeros(3), {"other": 1}])
def test_labels_that_are_no_classes_of_the_output_are_not_counted(label: Any) -> None:
    assert tallied([0, label], [SCORES[0], SCORES[1]]) is None


def test_a_single_score_is_a_class_only_with_a_threshold() -> None:
    assert tallied([1], [[0.7]]) is None
    counts = tallied([1, 0], [[0.7], [0.2]], threshold=0.5)
    assert counts is not None
    assert (counts.classes, counts.float_counts) == (2, ((0, 0, 1), (1, 1, 1)))


def test_an_output_with_more_dimensions_has_no_classes() -> None:
    assert tallied([0], [np.zeros((2, 2))]) is None
    assert tallied([], []) is None


def test_the_threshold_is_that_of_the_metric_of_the_output() -> None:
    metrics: dict[str, dict[str, Any]] = {
        "mae": {},
        "f1": {"output": "b", "threshold": 0.3},
        "top1_accuracy": {"output": None},
    }
    assert threshold_of(metrics, "b") == 0.3
    assert threshold_of(metrics, "a") == 0.5
    assert threshold_of({"mae": {}}, "a") is None
