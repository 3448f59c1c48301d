"""The dataset `waves`: sine waves of a few frequencies in noise; the label says which."""

from __future__ import annotations

import numpy as np

from recipekit.contracts import DatasetContext, Sample
from recipekit.errors import DatasetError

LENGTH = 32
MOST_CLASSES = 7


class Waves:
    """Windows of sine waves.

    Args:
        context: the recipe's seed decides the noise.
        count: how many samples there are.
        classes: how many frequencies; class k has 2 k + 2 periods in a window.
        noise: standard deviation of the noise beside an amplitude of 1.
    """

    def __init__(self, context: DatasetContext, *, count: int = 120, classes: int = 3, noise: float = 0.1) -> None:
        if not 2 <= classes <= MOST_CLASSES:
            raise DatasetError(f"'classes' is {classes}", where="waves", fix=f"give a number from 2 to {MOST_CLASSES}")
        self._seed, self._count, self._classes, self._noise = context.seed, count, classes, noise

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: int) -> Sample:
        label = index % self._classes
        draw = np.random.default_rng((self._seed, index))
        angle = 2 * np.pi * ((2 * label + 2) * np.arange(LENGTH) / LENGTH + draw.random())
        signal = np.sin(angle) + draw.normal(0, self._noise, LENGTH)
        return Sample(id=f"wave {index}", tensors={"signal": signal.astype(np.float32)}, label=label)
