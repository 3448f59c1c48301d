"""A project's own dataset: images that grow."""

from __future__ import annotations

import numpy as np

from recipekit.contracts import DatasetContext, Sample
from recipekit.registry import register


@register("datasets", "growing")
class Growing:
    """Square images of noise, each larger than the one before by as many pixels as asked for."""

    def __init__(self, context: DatasetContext, *, count: int = 2, by: int = 1) -> None:
        self._seed, self._count, self._by = context.seed, count, by

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: int, /) -> Sample:
        side = 4 + self._by * index
        image = np.random.default_rng((self._seed, index)).random((side, side, 3), np.float32)
        return Sample(str(index), {"image": image})
