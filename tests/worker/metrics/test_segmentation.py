"""Mean IoU, held against scikit-learn's Jaccard score over all pixels."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import jaccard_score

from recipekit.errors import DatasetError, EvaluationError
from recipekit.worker.metrics.segmentation import MeanIoU
from recipekit.worker.scoring import Resampling, score


@given(seed=st.integers(0, 2**32 - 1), classes=st.integers(2, 5), weighted=st.booleans())
def test_it_is_the_mean_of_scikit_learns_jaccard_scores_of_the_classes_that_occur(
    seed: int, classes: int, weighted: bool
) -> None:
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, classes, (6, 2, 3))
    scores = rng.normal(size=(6, 2, 3, classes))
    weights = rng.integers(0, 3, 6).astype(np.float64) if weighted else None
    if weights is not None:
        weights[rng.integers(6)] = 1
    copies = np.repeat(np.arange(6), 1 if weights is None else weights.astype(int))
    expected = jaccard_score(labels[copies].ravel(), scores.argmax(-1)[copies].ravel(), average="macro")
    assert MeanIoU().score(labels, {"y": scores}, weights) == pytest.approx(expected)
    indices = scores.argmax(-1).astype(np.float32)
    assert MeanIoU(classes=classes).score(labels[..., np.newaxis], {"y": indices}, weights) == pytest.approx(expected)


def test_ignored_pixels_do_not_count() -> None:
    labels = np.array([[[0, 1], [255, 255]]])
    predicted = np.array([[[0, 1], [0, 1]]])
    assert MeanIoU(classes=2, ignore_label=255).score(labels, {"y": predicted}, None) == 1.0
    with pytest.raises(DatasetError, match="the label 255 of sample 0 is none of the classes 0 to 1"):
        MeanIoU(classes=2).score(labels, {"y": predicted}, None)


def test_a_single_score_is_that_of_the_second_class() -> None:
    labels = np.array([[[0], [1], [1], [1]]])
    scores = np.array([[[0.1], [0.9], [0.6], [0.2]]])
    assert MeanIoU().score(labels, {"y": scores}, None) == pytest.approx((1 / 2 + 2 / 3) / 2)


def test_without_a_pixel_that_counts_it_is_nan() -> None:
    assert np.isnan(MeanIoU(classes=2, ignore_label=0).score(np.zeros((1, 2)), {"y": np.zeros((1, 2))}, None))


@pytest.mark.parametrize(
    ("labels", "outputs", "error", "message"),
    [
        (np.zeros((1, 3)), np.zeros((1, 2, 4)), DatasetError, r"labels of shape \(3,\)"),
        (np.array([["a", "b"]]), np.zeros((1, 2, 4)), DatasetError, "are no classes of"),
        (np.zeros((1, 2)), np.full((1, 2), 7), EvaluationError, "the prediction 7 of sample 0"),
    ],
)
def test_what_does_not_fit_is_refused(labels: Any, outputs: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        MeanIoU(classes=3 if outputs.ndim == 2 else None).score(labels, {"y": outputs}, None)


def test_the_bootstrap_counts_the_pixels_of_each_model_once(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []
    original = MeanIoU._counts

    def counted(*given: Any) -> Any:
        calls.append(1)
        return original(*given)

    monkeypatch.setattr(MeanIoU, "_counts", counted)
    labels = np.tile([[0, 1]], (8, 1))
    right, wrong = {"y": labels.copy()}, {"y": np.concatenate([labels[:4], 1 - labels[4:]])}
    result = score("mean_iou", MeanIoU(classes=2), labels, (right, wrong), Resampling(replicates=50, seed=0))
    assert result.float_value == 1.0
    assert result.converted_value == pytest.approx(1 / 3)
    assert len(result.replicates) == 50
    assert len({drop for _, drop in result.replicates}) > 3
    assert len(calls) == 2
