"""`samples.jsonl`: which samples a reading gave, in order, as digests.

Two readings of a dataset agree when these files agree, whichever stage did the reading; so the tensors are digested
as the dataset and the preprocessing left them, before any model has named them.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from recipekit import digests
from recipekit.contracts import SampleSet
from recipekit.errors import DatasetError
from recipekit.worker.tensors import Tensors, element_type

_LARGEST_INTEGER = 2**53 - 1


class SampleLog:
    """Writes one canonical JSON line a sample, as a context manager around one reading.

    A line is `{"id": ..., "label": ..., "tensors": {name: {"dtype": ..., "sha256": ..., "shape": [...]}}}`. `sha256`
    is of the C-ordered little-endian bytes. `label` is a number, a truth value or a string; an array stands there like
    a tensor. Labels of several outputs stand in `labels`, in the same way by name. A model with several signatures gets
    lines with the `signature` of each sample, too.
    """

    def __init__(self, path: Path, signature: str = "") -> None:
        self._path = path
        self._signature = {"signature": signature} if signature else {}
        self._stream = path.open("wb")
        self._digest = hashlib.sha256()
        self._count = 0
        self._labels = 0

    def __enter__(self) -> SampleLog:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stream.close()

    def add(self, name: str, label: object, tensors: Tensors, place: str) -> None:
        """Records one sample.

        Args:
            name: the sample's id.
            label: its label, None where it has none.
            tensors: its arrays by name, `UNNAMED` for a bare one.
            place: what an error calls the sample.

        Raises:
            DatasetError: the id or a tensor's name can't be written as UTF-8, or the label is no number, text or array.
        """
        described = {key: _describe(array) for key, array in tensors.items()}
        line: dict[str, Any] = {"id": name, "tensors": described, **self._signature}
        if isinstance(label, Mapping):
            line["labels"] = {str(output): _recorded(value, place) for output, value in label.items()}
        elif label is not None:
            line["label"] = _recorded(label, place)
        try:
            data = digests.canonical_json(line) + b"\n"
        except ValueError as error:
            raise DatasetError(
                f"has an id, label or name that is not Unicode text: {error}", where=place, fix="rename it"
            ) from error
        self._stream.write(data)
        self._digest.update(data)
        self._count += 1
        self._labels += label is not None

    def record(self) -> SampleSet:
        """The record of all samples that went by."""
        return SampleSet(
            path=str(self._path.resolve()),
            sha256=self._digest.hexdigest(),
            count=self._count,
            labelled=0 < self._count == self._labels,
        )


def scalar(label: object) -> bool | int | float | str | None:
    """A label as one JSON value; None where it has no such form (arrays, NaN, integers beyond 2^53 - 1)."""
    if isinstance(label, np.generic) or (isinstance(label, np.ndarray) and label.ndim == 0):
        label = label.item()
    if isinstance(label, bool | str):
        return label
    if isinstance(label, int) and abs(label) <= _LARGEST_INTEGER:
        return label
    if isinstance(label, float) and math.isfinite(label):
        return label
    return None


def _recorded(label: object, place: str) -> Any:
    value = scalar(label)
    return _describe(_label_array(label, place)) if value is None else value


def _label_array(label: object, place: str) -> np.ndarray[Any, Any]:
    """A label as an array; one that can't be recorded could change unnoticed, and measurements would be found again."""
    try:
        array = np.asarray(label)
    except ValueError:
        array = np.asarray(None)  # rows of different lengths
    if array.dtype.kind not in "biufcSU":
        raise DatasetError(
            f"has a label of type {type(label).__name__}, which can't be recorded",
            where=place,
            fix="give a number, a text or an array; pad what differs in length",
        )
    return array


def _describe(array: np.ndarray[Any, Any]) -> dict[str, Any]:
    little = array.astype(array.dtype.newbyteorder("<"), copy=False)
    return {
        "sha256": digests.of_bytes(little.tobytes()),
        "dtype": element_type(array),
        "shape": list(array.shape),
    }
