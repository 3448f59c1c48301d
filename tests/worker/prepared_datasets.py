"""Datasets as TensorFlow Datasets prepares them, written without TensorFlow; its own come from `tests/models`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.worker.tfrecords import write

_FEATURES = "tensorflow_datasets.core.features"


def tensor_feature(dtype: str, *shape: int) -> dict[str, Any]:
    """A plain tensor, as `features.json` declares it."""
    return {
        "pythonClassName": f"{_FEATURES}.tensor_feature.Tensor",
        "tensor": {"dtype": dtype, "encoding": "none", "shape": {"dimensions": [str(length) for length in shape]}},
    }


def write_prepared(data_dir: Path, features: Mapping[str, Any], records: list[bytes], supervised: bool = False) -> None:
    """The dataset `tiny` 1.0.0 with the split `test` in two shards; supervised keys are `x` and `label`."""
    folder = data_dir / "tiny" / "1.0.0"
    middle = len(records) // 2
    for shard, part in enumerate((records[:middle], records[middle:])):
        write(folder / f"tiny-test.tfrecord-0000{shard}-of-00002", *part)
    split = {
        "name": "test",
        "filepathTemplate": "{DATASET}-{SPLIT}.{FILEFORMAT}-{SHARD_X_OF_Y}",
        "numBytes": "1",
        "shardLengths": [str(middle), str(len(records) - middle)],
    }
    info: dict[str, Any] = {"name": "tiny", "version": "1.0.0", "fileFormat": "tfrecord", "splits": [split]}
    if supervised:
        info["supervisedKeys"] = {"tuple": {"items": [{"featureKey": "x"}, {"featureKey": "label"}]}}
    named = {"pythonClassName": f"{_FEATURES}.features_dict.FeaturesDict", "featuresDict": {"features": dict(features)}}
    (folder / "dataset_info.json").write_text(json.dumps(info))
    (folder / "features.json").write_text(json.dumps(named))
