from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, top_k_accuracy_score

from recipekit.errors import DatasetError, EvaluationError
from recipekit.worker.metrics.accuracy import Top1Accuracy, TopKAccuracy
from tests.worker.metrics.scored import Scored, scored


@given(case=scored())
def test_top1_accuracy_is_scikit_learns(case: Scored) -> None:
    expected = accuracy_score(case.labels, case.scores.argmax(axis=1), sample_weight=case.weights)
    assert Top1Accuracy().score(case.labels, {"y": case.scores}, case.weights) == pytest.approx(expected)


@given(case=scored(min_classes=3), data=st.data())
def test_topk_accuracy_is_scikit_learns(case: Scored, data: st.DataObject) -> None:
    classes = case.scores.shape[1]
    k = data.draw(st.integers(1, classes - 1))
    expected = top_k_accuracy_score(
        case.labels, case.scores, k=k, labels=np.arange(classes), sample_weight=case.weights
    )
    assert TopKAccuracy(k).score(case.labels, {"y": case.scores}, case.weights) == pytest.approx(expected)


@given(case=scored())
def test_the_hits_are_the_score_sample_by_sample(case: Scored) -> None:
    metric = Top1Accuracy()
    hits = metric.hits(case.labels, {"y": case.scores})
    assert hits.dtype == np.bool_
    assert hits.mean() == pytest.approx(metric.score(case.labels, {"y": case.scores}, None))


@given(case=scored(min_classes=3))
def test_top1_is_topk_with_k_of_one_even_among_equal_scores(case: Scored) -> None:
    tied = {"y": np.round(case.scores)}
    np.testing.assert_array_equal(TopKAccuracy(1).hits(case.labels, tied), Top1Accuracy().hits(case.labels, tied))


@pytest.mark.parametrize("shape", [(4,), (4, 1)])
def test_a_single_score_is_the_second_class_from_the_threshold_on(shape: tuple[int, ...]) -> None:
    outputs = {"y": np.array([0.1, 0.3, 0.5, 0.9]).reshape(shape)}
    labels = np.array([0, 1, 1, 1])
    assert Top1Accuracy().hits(labels, outputs).tolist() == [True, False, True, True]
    assert Top1Accuracy(threshold=0.3).score(labels, outputs, None) == 1


def test_several_outputs_need_a_name() -> None:
    outputs = {"boxes": np.zeros((2, 4)), "classes": np.eye(2)}
    with pytest.raises(EvaluationError, match="boxes, classes"):
        Top1Accuracy().score(np.array([0, 1]), outputs, None)
    assert Top1Accuracy(output="classes").score(np.array([0, 1]), outputs, None) == 1
    with pytest.raises(EvaluationError, match="no output 'class'"):
        Top1Accuracy(output="class").score(np.array([0, 1]), outputs, None)


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        (np.array([0, 2]), "the label 2 of sample 1 is none of the classes 0 to 1"),
        (np.array([-1, 0]), "the label -1 of sample 0"),
        (np.array([0, 0.5]), "the label 0.5 of sample 1"),
        (np.array([np.nan, 0]), "the label nan of sample 0"),
        (np.eye(2), "not class indices"),
        (np.array(["cat", "dog"]), "not class indices"),
    ],
)
def test_labels_that_are_no_class_are_refused(labels: npt.NDArray[Any], said: str) -> None:
    with pytest.raises(DatasetError, match=said):
        Top1Accuracy().score(labels, {"y": np.eye(2)}, None)


def test_an_output_that_is_no_row_of_scores_is_refused() -> None:
    with pytest.raises(EvaluationError, match="not one score for each class"):
        Top1Accuracy().score(np.array([0]), {"y": np.zeros((1, 2, 2))}, None)


def test_a_k_that_makes_every_sample_right_is_refused() -> None:
    with pytest.raises(EvaluationError, match="every sample would be right"):
        TopKAccuracy(5).hits(np.array([0]), {"y": np.zeros((1, 5))})
    with pytest.raises(EvaluationError, match="k is 0"):
        TopKAccuracy(0)
