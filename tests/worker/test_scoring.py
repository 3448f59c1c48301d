from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from recipekit.contracts import Metric, PairedCounts
from recipekit.errors import DatasetError, EvaluationError, PluginError, UsageError
from recipekit.worker.metrics.accuracy import Top1Accuracy, TopKAccuracy
from recipekit.worker.metrics.regression import MeanAbsoluteError
from recipekit.worker.metrics.segmentation import MeanIoU
from recipekit.worker.scoring import Resampling, open_metrics, score, stack_labels

LABELS = np.array([0, 0, 1, 1, 1])
FLOAT = {"y": np.eye(2)[[0, 0, 1, 1, 0]]}
CONVERTED = {"y": np.eye(2)[[0, 1, 1, 0, 0]]}
NONE = Resampling(replicates=0, seed=0)


class Broken:
    """A metric of a project that fails, or that is undefined."""

    higher_is_better = True

    def __init__(self, value: float | None = None) -> None:
        self.value = value

    def score(self, labels: npt.NDArray[Any], outputs: Mapping[str, npt.NDArray[Any]], weights: Any) -> float:
        if self.value is None:
            raise ZeroDivisionError("no boxes")
        return self.value

    def hits(self, labels: npt.NDArray[Any], outputs: Mapping[str, npt.NDArray[Any]]) -> None:
        return None


def test_a_share_of_right_samples_is_counted_for_both_models() -> None:
    result = score("top1_accuracy", Top1Accuracy(), LABELS, (FLOAT, CONVERTED), Resampling(replicates=10, seed=0))
    assert (result.float_value, result.converted_value, result.higher_is_better) == (0.8, 0.4, True)
    assert result.paired == PairedCounts(both=2, only_float=2, only_converted=0, neither=1)
    assert result.replicates == ()


def test_another_metric_is_resampled_as_often_as_asked() -> None:
    outputs = {"y": LABELS + 0.25}, {"y": LABELS + 0.5}
    result = score("mae", MeanAbsoluteError(), LABELS, outputs, Resampling(replicates=10, seed=0))
    assert (result.float_value, result.converted_value, result.higher_is_better) == (0.25, 0.5, False)
    assert result.paired is None
    assert result.replicates == ((0.5, 0.25),) * 10
    assert score("mae", MeanAbsoluteError(), LABELS, outputs, NONE).replicates == ()


def test_metrics_are_opened_with_their_parameters() -> None:
    metric = open_metrics({"topk_accuracy": {"k": 1}}, Path())["topk_accuracy"]
    assert isinstance(metric, TopKAccuracy)
    assert metric.score(LABELS, FLOAT, None) == 0.8


def test_a_metric_that_does_not_exist_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="top1_accuracy"):
        open_metrics({"top1_acuracy": {}}, Path())


def test_a_parameter_that_a_metric_lacks_is_a_plugin_error() -> None:
    with pytest.raises(PluginError, match=r"'topk_accuracy' raised TypeError.*'n'"):
        open_metrics({"topk_accuracy": {"n": 3}}, Path())


def test_a_metric_that_fails_is_a_plugin_error() -> None:
    with pytest.raises(PluginError, match="the metric 'map' raised ZeroDivisionError: no boxes"):
        score("map", Broken(), LABELS, (FLOAT, CONVERTED), NONE)


def test_a_metric_that_labels_do_not_fit_is_named() -> None:
    metrics: dict[str, Metric] = {"mae": MeanAbsoluteError(), "top1_accuracy": Top1Accuracy()}
    for name, metric in metrics.items():
        with pytest.raises(DatasetError) as caught:
            score(name, metric, np.full((5, 3), 0.5), (FLOAT, CONVERTED), NONE)
        assert caught.value.where == f"evaluation.metrics.{name}"


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_metric_that_is_not_finite_is_refused(value: float) -> None:
    with pytest.raises(EvaluationError, match=f"the metric 'map' is {value}"):
        score("map", Broken(value), LABELS, (FLOAT, CONVERTED), NONE)


def test_a_missing_label_is_named_by_its_sample() -> None:
    with pytest.raises(DatasetError, match="sample 'b': 2 of 3 samples have no label"):
        stack_labels([1, None, None], ["a", "b", "c"])


def test_a_metric_takes_the_label_of_its_output() -> None:
    labels = [{"kind": 1, "size": 0.5}, {"kind": 2}]
    assert stack_labels(labels, ["a", "b"], "kind").tolist() == [1, 2]
    with pytest.raises(DatasetError, match="1 of 2 samples have no label for 'size'"):
        stack_labels(labels, ["a", "b"], "size")
    with pytest.raises(DatasetError, match="a label for each of several outputs, kind, size, and"):
        stack_labels(labels, ["a", "b"])


def test_labels_of_different_shapes_stay_apart_and_are_refused_by_metrics_of_one_shape() -> None:
    labels = stack_labels([np.zeros(2), np.zeros(3)], ["a", "b"])
    assert [label.shape for label in labels] == [(2,), (3,)]
    for metric in (Top1Accuracy(), MeanAbsoluteError(), MeanIoU()):
        with pytest.raises(DatasetError, match="labels of different shapes"):
            metric.score(labels, {"y": np.zeros((2, 3))}, None)


METRIC = """
import numpy as np

class Within:
    higher_is_better = True

    def __init__(self, tolerance):
        self.tolerance = tolerance

    def score(self, labels, outputs, weights):
        return float(np.average(np.abs(outputs["y"] - labels) <= self.tolerance, weights=weights))

    def hits(self, labels, outputs):
        return None

def nothing():
    return 0.5
"""


def test_a_metric_of_the_project_is_named_by_its_address(tmp_path: Path) -> None:
    (tmp_path / "within.py").write_text(METRIC)
    metric = open_metrics({"within.py:Within": {"tolerance": 0.5}}, tmp_path)["within.py:Within"]
    models = {"y": LABELS + 0.25}, {"y": LABELS + np.array([0, 0, 0, 1, 1])}
    result = score("within.py:Within", metric, LABELS, models, Resampling(replicates=20, seed=0))
    assert (result.float_value, result.converted_value) == (1.0, 0.6)
    assert len(set(result.replicates)) > 1


def test_code_that_gives_no_metric_is_told_what_one_is(tmp_path: Path) -> None:
    (tmp_path / "within.py").write_text(METRIC)
    with pytest.raises(PluginError, match="gave float, which has no `higher_is_better`") as caught:
        open_metrics({"within.py:nothing": {}}, tmp_path)
    assert "recipekit.contracts.Metric" in caught.value.fix
    with pytest.raises(PluginError, match="has no 'Wihtin'"):
        open_metrics({"within.py:Wihtin": {}}, tmp_path)
