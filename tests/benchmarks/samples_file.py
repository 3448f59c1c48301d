"""Writes a large calibration file: `python -m tests.benchmarks.samples_file FILE COUNT`.

It is a program of its own, so that the memory it takes is never taken for that of a measured process.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np

from recipekit.contracts import DatasetContext
from recipekit.worker.datasets.digits import DigitsDataset


def main(path: Path, count: int) -> None:
    """Writes `count` training digits with noise as the float32 array `image`, so that no two are alike."""
    dataset = DigitsDataset(DatasetContext(root=Path.cwd(), seed=0), split="train")
    images: list[Any] = [dict(dataset[index].tensors)["image"] for index in range(len(dataset))]
    noise = np.random.default_rng(0)
    batch = np.empty((count, *images[0].shape), np.float32)
    for row in range(count):
        noisy = images[row % len(images)] + noise.normal(0.0, 0.05, images[0].shape)
        batch[row] = np.clip(noisy, -1.0, 1.0)
    np.savez(path, image=batch)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
