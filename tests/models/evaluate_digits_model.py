"""Prints the shipped model's accuracy on the split `test`: `python evaluate_digits_model.py MODEL`.

It runs in a child process, because the test process never imports TensorFlow.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np

from recipekit.contracts import DatasetContext
from recipekit.worker.datasets.digits import DigitsDataset


def accuracy(path: Path) -> float:
    """Share of the split `test` whose most probable class is the label."""
    dataset = DigitsDataset(DatasetContext(root=path.parent, seed=0), split="test")
    samples = [dataset[index] for index in range(len(dataset))]
    images: list[Any] = [dict(sample.tensors)["image"] for sample in samples]
    probabilities = keras.saving.load_model(path).predict(np.stack(images), verbose=0)
    return float(np.mean(probabilities.argmax(axis=1) == [sample.label for sample in samples]))


if __name__ == "__main__":
    sys.stdout.write(f"{accuracy(Path(sys.argv[1]))}\n")
