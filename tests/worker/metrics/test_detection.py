"""Mean average precision, held against pycocotools' own summary and against cases counted by hand."""

from __future__ import annotations

import io
import sys
from contextlib import redirect_stdout
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from recipekit.errors import DatasetError, EnvironmentFault, EvaluationError
from recipekit.worker.metrics.detection import MeanAveragePrecision
from recipekit.worker.scoring import Resampling, score, stack_labels
from tests.properties import at_most

OUTPUTS = ("detection_boxes", "detection_classes", "detection_scores")


def detected(*samples: list[tuple[list[float], int, float]]) -> dict[str, Any]:
    """Outputs of detections (box, class, score), as many in each sample."""
    columns = [[[row[part] for row in rows] for rows in samples] for part in range(3)]
    return {name: np.asarray(column, np.float32) for name, column in zip(OUTPUTS, columns, strict=True)}


def labels_of(*samples: Any) -> Any:
    return stack_labels([np.asarray(rows, np.float32) for rows in samples], [str(n) for n in range(len(samples))])


BOX, OTHER, FAR = [0.0, 0.0, 1.0, 1.0], [0.0, 0.0, 1.0, 0.72], [5.0, 5.0, 6.0, 6.0]


def test_a_perfect_detector_has_one() -> None:
    labels = labels_of([[*BOX, 0], [*FAR, 1]], [[*BOX, 0]])
    outputs = detected([(BOX, 0, 0.9), (FAR, 1, 0.8)], [(BOX, 0, 0.7), (FAR, 7, 0.9)])
    assert MeanAveragePrecision().score(labels, outputs, None) == pytest.approx(1)


def test_half_of_the_thresholds_are_met_by_a_box_that_overlaps_by_seven_tenths() -> None:
    assert MeanAveragePrecision().score(labels_of([[*BOX, 0]]), detected([(OTHER, 0, 0.9)]), None) == pytest.approx(0.5)


def test_a_wrong_box_of_a_higher_score_halves_the_precision() -> None:
    value = MeanAveragePrecision(iou_thresholds=[0.5]).score(
        labels_of([[*BOX, 0]]), detected([(FAR, 0, 0.9), (BOX, 0, 0.5)]), None
    )
    assert value == pytest.approx(0.5)


def test_classes_are_averaged_and_a_class_without_objects_is_left_out() -> None:
    labels = labels_of([[*BOX, 1], [*FAR, 2]])
    outputs = detected([(BOX, 0, 0.9), (FAR, 0, 0.8), (FAR, 5, 0.9)])
    assert MeanAveragePrecision(class_offset=1).score(labels, outputs, None) == pytest.approx(0.5)


def test_only_as_many_detections_count_as_the_model_says() -> None:
    labels = labels_of([[*BOX, 0]])
    outputs = detected([(FAR, 0, 0.5), (BOX, 0, 0.4)])
    assert MeanAveragePrecision().score(labels, {**outputs, "num_detections": np.array([1.0])}, None) == 0.0
    assert MeanAveragePrecision(outputs={"count": "n"}).score(
        labels, {**outputs, "n": np.array([[2]])}, None
    ) == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("box_format", "box"), [("xyxy", [1, 2, 4, 8]), ("xywh", [1, 2, 3, 6]), ("yxyx", [2, 1, 8, 4])]
)
def test_formats_of_boxes_mean_the_same(box_format: str, box: list[float]) -> None:
    metric = MeanAveragePrecision(box_format=box_format)
    (note,) = metric._objects(0, np.array([[*box, 0]], np.float32))
    assert (note["bbox"], note["area"]) == ([1, 2, 3, 6], 18)


def test_padding_and_crowds_are_no_objects_to_find() -> None:
    labels = labels_of([[*BOX, 0, 0], [*FAR, 0, 1], [*FAR, -1, 0]])
    outputs = detected([(BOX, 0, 0.5), (FAR, 0, 0.9)])
    assert MeanAveragePrecision().score(labels, outputs, None) == pytest.approx(1)


def test_without_an_object_it_is_nan() -> None:
    assert np.isnan(MeanAveragePrecision().score(labels_of([]), detected([(BOX, 0, 1.0)]), None))


def drawn(seed: int) -> tuple[Any, dict[str, Any]]:
    """Six samples of up to three objects, and five detections of each, half of them near an object."""
    rng = np.random.default_rng(seed)
    corner, size = rng.uniform(0, 50, (6, 5, 2)), rng.uniform(5, 20, (6, 5, 2))
    boxes = np.concatenate([corner, corner + size], axis=2)
    classes = rng.integers(0, 2, (6, 5))
    truth = [np.column_stack([boxes[n], classes[n]])[: rng.integers(0, 4)] for n in range(6)]
    truth[0] = np.column_stack([boxes[0], classes[0]])[:2]
    near = boxes + rng.normal(0, 2, boxes.shape)
    outputs = {OUTPUTS[0]: near, OUTPUTS[1]: classes, OUTPUTS[2]: rng.random((6, 5))}
    return labels_of(*truth), outputs


def of_pycocotools(labels: Any, outputs: dict[str, Any]) -> float:
    truth = COCO()
    rows = [(index, row) for index, label in enumerate(labels) for row in np.asarray(label, np.float64)]
    truth.dataset = {
        "info": {},
        "images": [{"id": index} for index in range(len(labels))],
        "categories": [{"id": category} for category in sorted({int(row[4]) for _, row in rows})],
        "annotations": [
            {
                "id": number,
                "image_id": index,
                "category_id": int(row[4]),
                "bbox": [row[1], row[0], row[3] - row[1], row[2] - row[0]],
                "area": (row[3] - row[1]) * (row[2] - row[0]),
                "iscrowd": 0,
            }
            for number, (index, row) in enumerate(rows, 1)
        ],
    }
    boxes = outputs[OUTPUTS[0]].reshape(-1, 4)[:, [1, 0, 3, 2]]
    images = np.repeat(np.arange(len(labels)), outputs[OUTPUTS[2]].shape[1])
    scores, classes = outputs[OUTPUTS[2]].reshape(-1, 1), outputs[OUTPUTS[1]].reshape(-1, 1)
    table = np.column_stack([images, boxes[:, :2], boxes[:, 2:] - boxes[:, :2], scores, classes])
    with redirect_stdout(io.StringIO()):
        truth.createIndex()
        evaluation = COCOeval(truth, truth.loadRes(table), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return float(evaluation.stats[0])


@settings(max_examples=at_most(25))
@given(seed=st.integers(0, 2**32 - 1))
def test_it_is_what_pycocotools_sums_up_also_for_copies_of_samples(seed: int) -> None:
    labels, outputs = drawn(seed)
    metric = MeanAveragePrecision()
    assert metric.score(labels, outputs, None) == pytest.approx(of_pycocotools(labels, outputs))
    weights = np.random.default_rng(seed).integers(0, 3, 6).astype(np.float64)
    weights[0] = 1
    copies = np.repeat(np.arange(6), weights.astype(int))
    again = {name: array[copies] for name, array in outputs.items()}
    assert metric.score(labels, outputs, weights) == pytest.approx(of_pycocotools(labels[copies], again))


def test_the_paired_bootstrap_resamples_the_matches(capsys: pytest.CaptureFixture[str]) -> None:
    labels, outputs = drawn(3)
    worse = {**outputs, OUTPUTS[0]: outputs[OUTPUTS[0]] + 4}
    result = score("map", MeanAveragePrecision(), labels, (outputs, worse), Resampling(replicates=30, seed=1))
    assert result.float_value > result.converted_value
    assert len(result.replicates) == 30
    assert len({drop for _, drop in result.replicates}) > 10
    assert capsys.readouterr().out == ""


def test_what_does_not_fit_is_refused() -> None:
    outputs = detected([(BOX, 0, 1.0)])
    with pytest.raises(DatasetError, match=r"the label of sample 0 has shape \(1, 4\)"):
        MeanAveragePrecision().score(labels_of([BOX]), outputs, None)
    with pytest.raises(EvaluationError, match="the model has no output 'boxes'"):
        MeanAveragePrecision(outputs={"boxes": "boxes"}).score(labels_of([[*BOX, 0]]), outputs, None)
    with pytest.raises(EvaluationError, match=r"the outputs have shapes 'detection_scores' \(1,\)"):
        MeanAveragePrecision(outputs={"boxes": OUTPUTS[2]}).score(labels_of([[*BOX, 0]]), outputs, None)
    wrong: dict[str, Any]
    for wrong in (
        {"box_format": "yx"},
        {"iou_thresholds": []},
        {"iou_thresholds": [50]},
        {"max_detections": 0},
        {"outputs": {"box": "x"}},
    ):
        with pytest.raises(EvaluationError):
            MeanAveragePrecision(**wrong)


def test_a_missing_package_is_answered_with_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pycocotools.coco", None)
    with pytest.raises(EnvironmentFault, match="'mean_average_precision' needs the package 'pycocotools'") as caught:
        MeanAveragePrecision()
    assert caught.value.fix == "pip install 'recipekit[detection]'"
