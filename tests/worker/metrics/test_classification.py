from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from sklearn.metrics import f1_score, precision_score, recall_score, roc_auc_score

from recipekit.errors import DatasetError, EvaluationError
from recipekit.worker.metrics.classification import F1, Precision, Recall, RocAuc
from tests.worker.metrics.scored import Scored, scored

pytestmark = pytest.mark.slow

RATIOS = pytest.mark.parametrize(
    ("metric", "oracle"), [(Precision, precision_score), (Recall, recall_score), (F1, f1_score)]
)


@RATIOS
@given(case=scored(), average=st.sampled_from(["macro", "micro", "weighted"]))
def test_ratios_are_scikit_learns_on_copies_of_samples(
    metric: Callable[..., Any], oracle: Callable[..., float], case: Scored, average: str
) -> None:
    expected = oracle(
        case.labels[case.copies], case.scores.argmax(axis=1)[case.copies], average=average, zero_division=0
    )
    got = metric(average=average).score(case.labels, {"y": case.scores}, case.weights)
    assert got == pytest.approx(expected)


@RATIOS
@given(case=scored(max_classes=2))
def test_binary_ratios_are_scikit_learns(
    metric: Callable[..., Any], oracle: Callable[..., float], case: Scored
) -> None:
    score = case.scores[:, :1]
    expected = oracle(case.labels, score[:, 0] >= 0.25, sample_weight=case.weights, zero_division=0)
    got = metric(average="binary", threshold=0.25).score(case.labels, {"y": score}, case.weights)
    assert got == pytest.approx(expected)


@given(case=scored(), rounded=st.booleans())
def test_the_roc_area_is_scikit_learns(case: Scored, rounded: bool) -> None:
    classes = case.scores.shape[1]
    assume(set(case.labels[case.copies]) == set(range(classes)))
    scores = np.round(case.scores) if rounded else case.scores
    probabilities = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    expected = roc_auc_score(
        case.labels,
        probabilities if classes > 2 else probabilities[:, 1],
        multi_class="ovr",
        sample_weight=case.weights,
    )
    assert RocAuc().score(case.labels, {"y": probabilities}, case.weights) == pytest.approx(expected)


def test_the_roc_area_of_a_single_score_is_that_of_the_second_class() -> None:
    labels = np.array([0, 0, 1, 1])
    assert RocAuc().score(labels, {"y": np.array([[0.1], [0.4], [0.35], [0.8]])}, None) == pytest.approx(0.75)


def test_the_roc_area_is_undefined_where_a_class_has_no_sample() -> None:
    with pytest.raises(DatasetError, match="no sample is of class 2"):
        RocAuc().score(np.array([0, 1]), {"y": np.eye(3)[:2]}, None)


def test_the_roc_area_is_nan_where_a_class_has_no_weight() -> None:
    assert np.isnan(RocAuc().score(np.array([0, 1]), {"y": np.eye(2)}, np.array([2.0, 0.0])))


def test_they_are_no_shares_of_right_samples() -> None:
    for metric in (Precision(), Recall(), F1(), RocAuc()):
        assert metric.hits(np.array([0, 1]), {"y": np.eye(2)}) is None


def test_parameters_that_mean_nothing_are_refused() -> None:
    with pytest.raises(EvaluationError, match="no average 'samples'"):
        F1(average="samples")
    with pytest.raises(EvaluationError, match="no multi_class 'ovo'"):
        RocAuc(multi_class="ovo")
    with pytest.raises(EvaluationError, match="'binary' doesn't fit an output of 3 classes"):
        F1(average="binary").score(np.array([0]), {"y": np.eye(3)[:1]}, None)
