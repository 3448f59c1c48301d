"""A small dataset prepared by TensorFlow Datasets in two file formats: `python prepared_datasets.py FOLDER`.

It runs in a child process, because the test process never imports TensorFlow.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow_datasets as tfds


class Scenes(tfds.core.GeneratorBasedBuilder):  # type: ignore[misc]
    """Ten grey images with a class, a text and a varying number of objects."""

    VERSION = tfds.core.Version("1.0.0")

    def _info(self) -> Any:
        objects = {"bbox": tfds.features.BBoxFeature(), "label": tfds.features.ClassLabel(num_classes=5)}
        features = {
            "image": tfds.features.Image(shape=(9, 7, 3)),
            "label": tfds.features.ClassLabel(names=["even", "odd"]),
            "text": tfds.features.Text(),
            "objects": tfds.features.Sequence(objects),
        }
        return tfds.core.DatasetInfo(
            builder=self, features=tfds.features.FeaturesDict(features), supervised_keys=("image", "label")
        )

    def _split_generators(self, dl_manager: Any) -> dict[str, Iterator[Any]]:
        return {"test": self._generate_examples()}

    def _generate_examples(self) -> Iterator[tuple[int, dict[str, Any]]]:
        for index in range(10):
            box = tfds.features.BBox(0.0, 0.0, 0.5, index / 10 + 0.05)
            yield (
                index,
                {
                    "image": np.full((9, 7, 3), index, np.uint8),
                    "label": index % 2,
                    "text": f"größe {index}",
                    "objects": [{"bbox": box, "label": index % 5}] * (index % 3),
                },
            )


if __name__ == "__main__":
    for file_format in ("tfrecord", "array_record"):
        Scenes(data_dir=str(Path(sys.argv[1]) / file_format), file_format=file_format).download_and_prepare()
