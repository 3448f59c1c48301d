"""TFRecord files of `tf.train.Example` messages, read without TensorFlow."""

from __future__ import annotations

import io
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from recipekit.contracts import DatasetContext, Sample
from recipekit.errors import DatasetError
from recipekit.fitting import UNNAMED
from recipekit.nearest import did_you_mean, neighbour
from recipekit.worker.example_message import Values, parse_example
from recipekit.worker.image_file import MODES, decode_image
from recipekit.worker.tensors import NUMERIC_TYPES, fits
from recipekit.worker.tfrecord_file import COMPRESSIONS, TFRecordFile

_ELEMENT_TYPES = (*NUMERIC_TYPES, "bool", "string")
_WHERE = "tfrecord"


class TFRecordDataset:
    """One sample a record, in the order of the files' names; its id is `file:number`, counted from 0.

    Any record can be read at once: only the places of records are held in memory, and a compressed file is unpacked
    into an unnamed temporary one. Checksums are verified.

    Args:
        context: where a relative path starts.
        path: a file, a folder (its files, hidden ones left out), or a pattern such as `data/train-*.tfrecord`.
        features: how each feature is read, by its key: `dtype` (`float32` and the other numbers, `bool`, `string`),
            `shape` without batch dimension (a single value if left out; one length may be -1), and for bytes `decode`:
            `image` (a uint8 array of shape HxWxC, `mode` RGB or L) or `raw` (little-endian bytes of `dtype`).
        inputs: feature keys by input name; None takes every feature but the label under its own key, a single one
            without a name.
        label_key: the feature that is the label.
        compression: of the files, `GZIP` or `ZLIB`, as in `tf.data.TFRecordDataset`; None for none.

    Raises:
        DatasetError: there are no files, one is damaged, or a parameter names what isn't there.
    """

    def __init__(
        self,
        context: DatasetContext,
        *,
        path: str,
        features: Mapping[str, Mapping[str, Any]],
        inputs: Mapping[str, str] | None = None,
        label_key: str | None = None,
        compression: str | None = None,
    ) -> None:
        self._features = {key: _Feature(key, **given) for key, given in features.items()}
        if compression is not None and compression not in COMPRESSIONS:
            raise DatasetError(
                f"there is no compression {compression!r}", where=_WHERE, fix=f"use {' or '.join(COMPRESSIONS)}"
            )
        chosen = {key: key for key in features if key != label_key} if inputs is None else inputs
        for key in (*chosen.values(), *([] if label_key is None else [label_key])):
            self._require(key)
        if inputs is None and len(chosen) == 1:
            chosen = {UNNAMED: next(iter(chosen))}
        self._inputs = {name: self._features[key] for name, key in chosen.items()}
        self._label = None if label_key is None else self._features[label_key]
        paths = _files(context.root / path)
        self._files = [TFRecordFile(file, compression) for file in paths]
        self._names = [file.name for file in paths]
        self._ends = list(accumulate(map(len, self._files)))

    def __len__(self) -> int:
        return self._ends[-1]

    def __getitem__(self, index: int) -> Sample:
        at = bisect_right(self._ends, index)
        file, number = self._files[at], index - (self._ends[at - 1] if at else 0)
        try:
            values = parse_example(file[number])
            tensors = {name: feature.read(values) for name, feature in self._inputs.items()}
            label = None if self._label is None else self._label.read(values)
        except ValueError as error:
            raise file.fault(number, str(error), "correct `features`, or the record") from error
        return Sample(f"{self._names[at]}:{number}", tensors, label if label is None or label.ndim else label.item())

    def _require(self, key: str) -> None:
        if key not in self._features:
            raise DatasetError(
                f"`features` doesn't declare '{key}'{did_you_mean(key, self._features)}",
                where=_WHERE,
                fix="say how it is read, or name one of those that are",
            )


class _Feature:
    """One feature: how its values become an array."""

    def __init__(
        self,
        key: str,
        dtype: str | None = None,
        shape: Sequence[int] = (),
        decode: str | None = None,
        mode: str = "RGB",
    ) -> None:
        if dtype is not None and dtype not in _ELEMENT_TYPES:
            raise DatasetError(
                f"the feature '{key}' has no element type {dtype!r}{did_you_mean(dtype, _ELEMENT_TYPES)}",
                where=_WHERE,
                fix=f"use one of {', '.join(_ELEMENT_TYPES)}",
            )
        if decode not in (None, "image", "raw") or mode not in MODES or (dtype is None) != (decode == "image"):
            raise DatasetError(
                f"the feature '{key}' needs either a `dtype` or `decode: image`",
                where=_WHERE,
                fix="write {dtype: float32, shape: [3]}, {decode: raw, dtype: uint8, shape: [4, 4]} or {decode: image}",
            )
        self._key = key
        self._dtype = dtype
        self._shape = tuple(shape)
        self._decode = decode
        self._mode = mode

    def read(self, example: Mapping[str, Values]) -> npt.NDArray[Any]:
        """The array, or ValueError with a sentence about the record."""
        values = example.get(self._key)
        if values is None:
            raise ValueError(f"it has no feature '{self._key}'{did_you_mean(self._key, example)}")
        try:
            return self._decoded(values) if self._decode else self._plain(values)
        except Exception as error:  # decoders of broken images raise whatever their parser stumbles over
            raise ValueError(f"its feature '{self._key}' can't be read: {error}") from error

    def _decoded(self, values: Values) -> npt.NDArray[Any]:
        if len(values) != 1 or not isinstance(values[0], bytes):
            raise ValueError(f"it holds {_described(values)}, not one value of bytes")
        data = values[0]
        if self._decode == "image":
            return decode_image(io.BytesIO(data), self._mode)
        array = np.frombuffer(data, np.dtype(self._dtype).newbyteorder("<"))
        return array.reshape(self._shape)

    def _plain(self, values: Values) -> npt.NDArray[Any]:
        if values and isinstance(values[0], bytes) != (self._dtype == "string"):
            raise ValueError(f"it holds {_described(values)}, not {self._dtype}")
        if self._dtype == "string":
            texts = [value.decode("utf-8") if isinstance(value, bytes) else "" for value in values]
            return np.array(texts, np.str_).reshape(self._shape)
        array, target = np.array(values), np.dtype(self._dtype)
        integral = target.kind in "iu"
        if array.size and target.kind != "b":
            if integral and array.dtype.kind == "f":
                raise ValueError(f"it holds floats, not {target}")
            if integral and not (fits(array.min(), target) and fits(array.max(), target)):
                raise ValueError(f"values from {array.min()} to {array.max()} don't fit {target}")
        return array.astype(target).reshape(self._shape)


def _described(values: Values) -> str:
    kinds = {bytes: "bytes", float: "floats", int: "integers"}
    return f"{len(values)} values of {kinds[type(values[0])]}" if values else "nothing"


def _files(path: Path) -> list[Path]:
    """The files that a path means, sorted."""
    if path.is_dir():
        found = [entry for entry in path.iterdir() if entry.is_file() and not entry.name.startswith(".")]
    elif path.is_file():
        found = [path]
    else:
        found = [entry for entry in path.parent.glob(path.name) if entry.is_file()]
    if not found:
        raise DatasetError(f"there are no such files{neighbour(path)}", where=str(path), fix="correct `path`")
    return sorted(found)
