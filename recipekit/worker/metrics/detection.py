"""Mean average precision of object detection, as pycocotools computes it."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import redirect_stdout
from typing import Any

import numpy as np
import numpy.typing as npt

from recipekit.errors import DatasetError, EvaluationError
from recipekit.nearest import did_you_mean
from recipekit.worker.extras import require
from recipekit.worker.metrics.predictions import Outputs, chosen
from recipekit.worker.metrics.remembered import Remembered

_FORMATS = ("yxyx", "xyxy", "xywh")
_WHERE = "evaluation.metrics.mean_average_precision"
_OUTPUTS = {
    "boxes": "detection_boxes",
    "classes": "detection_classes",
    "scores": "detection_scores",
    "count": "num_detections",
}


class MeanAveragePrecision:
    """COCO's AP: the mean over classes and thresholds of IoU, of precision at 101 recalls, boxes of all areas.

    A label is an array of shape (objects, 5): four coordinates and the class, and in a sixth column, where there is
    one, 1 for a crowd. Its number of rows may differ from sample to sample; rows of a class below 0 are padding.

    The defaults are the names of the TensorFlow Object Detection API: boxes of shape (detections, 4), classes and
    scores of shape (detections,), and how many of them count. A SavedModel that was exported for TensorFlow Lite may
    call them `output_0` and so on. Boxes of labels and outputs have the same format and unit, normalized or pixels.
    """

    higher_is_better = True

    def __init__(
        self,
        outputs: Mapping[str, str] | None = None,
        box_format: str = "yxyx",
        class_offset: int = 0,
        iou_thresholds: Sequence[float] | None = None,
        max_detections: int = 100,
    ) -> None:
        """Sets the metric up.

        Args:
            outputs: names of the outputs with `boxes`, `classes`, `scores`, and the `count` of detections, where they
                aren't the defaults; without a count in the model all of them count.
            box_format: `yxyx` (top, left, bottom, right), `xyxy`, or `xywh` (left, top, width, height).
            class_offset: added to the output's classes to give the label's: 1 where labels count from 1.
            iou_thresholds: None takes COCO's, 0.5 to 0.95 in steps of 0.05; [0.5] gives the AP of Pascal VOC 2010.
            max_detections: of a sample and class, those of the highest scores.

        Raises:
            EvaluationError: a parameter is out of range.
            EnvironmentFault: pycocotools isn't installed.
        """
        thresholds = np.linspace(0.5, 0.95, 10) if iou_thresholds is None else np.asarray(iou_thresholds, np.float64)
        if box_format not in _FORMATS:
            raise EvaluationError(f"there is no box_format '{box_format}'", where=_WHERE, fix=f"use {_FORMATS}")
        unknown = next((what for what in outputs or {} if what not in _OUTPUTS), None)
        if unknown is not None:
            raise EvaluationError(
                f"`outputs` knows no '{unknown}'{did_you_mean(unknown, _OUTPUTS)}",
                where=_WHERE,
                fix=f"name outputs for {', '.join(_OUTPUTS)}",
            )
        if not thresholds.size or max_detections < 1 or not np.all((thresholds > 0) & (thresholds <= 1)):
            raise EvaluationError(
                "thresholds of IoU lie above 0 and up to 1, and at least one detection counts",
                where=_WHERE,
                fix="correct `iou_thresholds` or `max_detections`",
            )
        self._outputs = {**_OUTPUTS, **(outputs or {})}
        self._counted = "count" in (outputs or {})
        self._format = box_format
        self._offset = class_offset
        self._thresholds = thresholds
        self._max_detections = max_detections
        self._coco = require("pycocotools.coco", "detection", "the metric 'mean_average_precision'")
        self._cocoeval = require("pycocotools.cocoeval", "detection", "the metric 'mean_average_precision'")
        self._remembered = Remembered(self._match)

    def score(self, labels: npt.NDArray[Any], outputs: Outputs, weights: npt.NDArray[np.float64] | None) -> float:
        """The metric of weighted samples, NaN where no object counts; see `contracts.Metric`.

        Raises:
            DatasetError: a label has another form.
            EvaluationError: an output is missing or has another shape.
        """
        weights = np.ones(len(labels)) if weights is None else weights
        values = [matches.precision(weights) for matches in self._remembered(labels, outputs)]
        defined = [value for value in values if value is not None]
        return float(np.mean(defined)) if defined else float("nan")

    def hits(self, labels: npt.NDArray[Any], outputs: Outputs) -> None:
        """None: the metric is no share of right samples."""

    def _match(self, labels: npt.NDArray[Any], outputs: Outputs) -> list[_Matches]:
        """Detections matched with objects, of each class that has any: the part that no weight changes."""
        objects = [note for index, label in enumerate(labels) for note in self._objects(index, np.asarray(label))]
        categories = sorted({note["category_id"] for note in objects})
        if not categories:
            return []
        with redirect_stdout(io.StringIO()):
            truth = self._collection(len(labels), categories, objects)
            found = self._collection(len(labels), categories, list(self._detections(len(labels), outputs)))
            evaluation = self._cocoeval.COCOeval(truth, found, "bbox")
            evaluation.params.iouThrs = self._thresholds
            evaluation.params.maxDets = [self._max_detections]
            evaluation.params.areaRng, evaluation.params.areaRngLbl = [[0, np.inf]], ["all"]
            evaluation.evaluate()
        samples = len(labels)
        parts = [evaluation.evalImgs[start : start + samples] for start in range(0, samples * len(categories), samples)]
        return [_Matches([entry for entry in part if entry is not None], evaluation.params.recThrs) for part in parts]

    def _collection(self, samples: int, categories: list[int], notes: list[dict[str, Any]]) -> Any:
        """Boxes in the form that pycocotools reads; their ids count from 1, since 0 means no match there."""
        collection = self._coco.COCO()
        collection.dataset = {
            "images": [{"id": index} for index in range(samples)],
            "categories": [{"id": category} for category in categories],
            "annotations": [{"id": number, **note} for number, note in enumerate(notes, 1)],
        }
        collection.createIndex()
        return collection

    def _objects(self, index: int, label: npt.NDArray[Any]) -> Iterator[dict[str, Any]]:
        if not label.size:
            return
        if label.ndim != 2 or label.shape[1] not in (5, 6) or label.dtype.kind not in "biuf":
            raise DatasetError(
                f"the label of sample {index} has shape {label.shape} and dtype {label.dtype}",
                fix="give each sample an array of shape (objects, 5): four coordinates and the class of each object",
            )
        for box, row in zip(self._corners(label[:, :4]), label, strict=True):
            if row[4] >= 0:
                crowd = int(label.shape[1] == 6 and row[5] > 0)
                yield _note(index, int(row[4]), box, iscrowd=crowd)

    def _detections(self, samples: int, outputs: Outputs) -> Iterator[dict[str, Any]]:
        named = {what: chosen(outputs, self._outputs[what]) for what in ("boxes", "classes", "scores")}
        boxes, classes, scores = named["boxes"], named["classes"], named["scores"]
        if boxes.ndim != 3 or boxes.shape[2] != 4 or not classes.shape == scores.shape == boxes.shape[:2]:
            shapes = ", ".join(f"'{self._outputs[what]}' {array.shape[1:]}" for what, array in named.items())
            raise EvaluationError(
                f"the outputs have shapes {shapes}",
                where=_WHERE,
                fix="name outputs of shapes (detections, 4), (detections,) and (detections,)",
            )
        counts = np.full(samples, boxes.shape[1])
        if self._counted or self._outputs["count"] in outputs:
            counts = chosen(outputs, self._outputs["count"]).reshape(samples).astype(np.intp)
        for index in range(samples):
            rows = zip(self._corners(boxes[index]), classes[index], scores[index], strict=True)
            for _, (box, category, score) in zip(range(counts[index]), rows, strict=False):
                yield _note(index, int(category) + self._offset, box, iscrowd=0, score=float(score))

    def _corners(self, boxes: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
        """Boxes as left, top, width and height."""
        first, second, third, fourth = boxes.astype(np.float64).T
        if self._format == "xywh":
            return np.stack([first, second, third, fourth], axis=1)
        left, top, right, bottom = (
            (first, second, third, fourth) if self._format == "xyxy" else (second, first, fourth, third)
        )
        return np.stack([left, top, right - left, bottom - top], axis=1)


class _Matches:
    """The detections of one class, matched by pycocotools, in the order of their scores.

    What follows is its `COCOeval.accumulate` with a weight for each sample: calling it on copies takes ten times as
    long, and a bootstrap asks for hundreds of weights.
    """

    def __init__(self, entries: Sequence[Mapping[str, Any]], recalls: npt.NDArray[np.float64]) -> None:
        """Joins what `COCOeval.evaluate` gave.

        Args:
            entries: of the samples that have an object or a detection of the class.
            recalls: at which precision is looked up.
        """
        scores = np.concatenate([entry["dtScores"] for entry in entries])
        order = np.argsort(-scores, kind="mergesort")
        matched = np.concatenate([entry["dtMatches"] for entry in entries], axis=1)[:, order] > 0
        counted = ~np.concatenate([entry["dtIgnore"] for entry in entries], axis=1)[:, order].astype(np.bool_)
        detected = [np.full(len(entry["dtScores"]), entry["image_id"], np.intp) for entry in entries]
        self._samples = np.concatenate(detected)[order]
        self._right, self._wrong = matched & counted, ~matched & counted
        objects = [np.full(np.count_nonzero(entry["gtIgnore"] == 0), entry["image_id"], np.intp) for entry in entries]
        self._objects = np.concatenate(objects)
        self._recalls = recalls

    def precision(self, weights: npt.NDArray[np.float64]) -> float | None:
        """Mean precision over thresholds and recalls under weights of the samples; None where no object counts."""
        expected = weights[self._objects].sum()
        if not expected:
            return None
        right = np.cumsum(self._right * weights[self._samples], axis=1)
        wrong = np.cumsum(self._wrong * weights[self._samples], axis=1)
        precision = right / (right + wrong + np.spacing(1))
        best = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]  # at this recall or any higher one
        reached = np.column_stack([best, np.zeros(len(best))])
        places = [np.searchsorted(recall, self._recalls, side="left") for recall in right / expected]
        return float(np.mean([row[place] for row, place in zip(reached, places, strict=True)]))


def _note(sample: int, category: int, box: npt.NDArray[np.float64], **more: Any) -> dict[str, Any]:
    area = float(box[2] * box[3])
    return {"image_id": sample, "category_id": category, "bbox": box.tolist(), "area": area, **more}
