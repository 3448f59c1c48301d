"""Datasets prepared by TensorFlow Datasets, read without TensorFlow."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any

from recipekit.contracts import DatasetContext, Sample
from recipekit.errors import DatasetError, RecipekitError, in_a_line
from recipekit.worker.extras import require
from recipekit.worker.named_fields import NamedFields
from recipekit.worker.tfrecord_file import TFRecordFile

_EXTRA, _USER = "tfds", "the dataset 'tfds'"


class TfdsDataset:
    """Examples of one split in the order of its files; an id is `name/split:index`.

    Any example can be read at once, be the files TFRecord, ArrayRecord or Parquet: the features are decoded by
    TensorFlow Datasets' own NumPy route. Images are uint8 arrays of shape HxWxC, texts are texts; a field inside of
    another is named `outer/inner`.

    Args:
        context: where a relative `data_dir` starts.
        name: the dataset, with config and version where wanted: `name/config:1.0.0`.
        split: in TensorFlow Datasets' terms, such as `test` or `train[:10%]`.
        data_dir: where prepared datasets lie; None takes TensorFlow Datasets' own folder.
        inputs: features by input name; None takes the dataset's supervised input without a name, or every feature but
            the label.
        label_key: the feature that is the label, or several whose columns are put side by side; None takes the
            dataset's supervised one.
        download: whether a dataset that isn't there may be downloaded and prepared, which imports TensorFlow.

    Raises:
        EnvironmentFault: tensorflow-datasets isn't installed.
        DatasetError: the dataset or split isn't there.
    """

    def __init__(
        self,
        context: DatasetContext,
        *,
        name: str,
        split: str = "test",
        data_dir: str | None = None,
        inputs: Mapping[str, str] | None = None,
        label_key: str | Sequence[str] | None = None,
        download: bool = False,
    ) -> None:
        tfds: Any = require("tensorflow_datasets", _EXTRA, _USER)
        folder = None if data_dir is None else str(context.root / data_dir)
        builder = _builder(tfds, name, folder, download)
        self._name = f"{name}/{split}"
        try:
            instructions = builder.info.splits[split].file_instructions
        except (ValueError, KeyError) as error:
            raise DatasetError(
                f"has no split '{split}': {error}", where=name, fix=f"use {', '.join(builder.info.splits)}, or a part"
            ) from error
        if inputs is None and label_key is None and builder.info.supervised_keys is not None:
            given, label_key = builder.info.supervised_keys[:2]
            inputs = {"": given}
        self._fields = NamedFields(inputs, label_key)
        self._read: Callable[[int], Mapping[str, Any]]
        if builder.info.file_format is not None and builder.info.file_format.name == "TFRECORD":
            features = builder.info.features
            records = _Records(instructions)
            self._length = len(records)
            self._read = lambda index: features.deserialize_example_np(records[index])
        else:
            source = builder.as_data_source(split=split)
            self._length = len(source)
            self._read = source.__getitem__

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, index: int) -> Sample:
        name = f"{self._name}:{index}"
        try:
            row = self._read(index)
        except RecipekitError:
            raise
        except Exception as error:  # decoders of broken images raise whatever their parser stumbles over
            raise DatasetError(f"can't be read: {error}", where=name, fix="prepare the dataset anew") from error
        return self._fields.sample(name, row, name)


class _Records:
    """The records that TensorFlow Datasets' file instructions select, in their order."""

    def __init__(self, instructions: Sequence[Any]) -> None:
        self._files = [TFRecordFile(Path(part.filename)) for part in instructions]
        self._skips = [part.skip for part in instructions]
        self._ends = list(accumulate(part.examples_in_shard if part.take < 0 else part.take for part in instructions))

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    def __getitem__(self, index: int) -> bytes:
        at = bisect_right(self._ends, index)
        return self._files[at][self._skips[at] + index - (self._ends[at - 1] if at else 0)]


def _builder(tfds: Any, name: str, folder: str | None, download: bool) -> Any:
    """The prepared dataset; its generating code is looked for only where downloading is allowed."""
    naming = require("tensorflow_datasets.core.naming", _EXTRA, _USER)
    files = require("tensorflow_datasets.core.read_only_builder", _EXTRA, _USER)
    try:
        plain, parts = naming.parse_builder_name_kwargs(name)
        return files.builder_from_files(str(plain), data_dir=folder, **parts)
    except (tfds.core.DatasetNotFoundError, ValueError) as error:
        if not download:
            raise DatasetError(
                f"isn't prepared in {folder or 'the folder of TensorFlow Datasets'}",
                where=name,
                fix="correct `name` or `data_dir`, prepare it with `tfds build`, or set `download: true`",
            ) from error
    try:
        builder = tfds.builder(name, data_dir=folder)
        builder.download_and_prepare()
    except Exception as error:  # its code and the network raise whatever they stumble over
        raise DatasetError(
            f"can't be downloaded and prepared: {in_a_line(error)}",
            where=name,
            fix="check the network, or prepare it elsewhere with `tfds build` and set `data_dir` to the result",
        ) from error
    return builder
