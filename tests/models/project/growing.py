"""A project's own dataset: images that grow."""

from __future__ import annotations

import numpy as np

from recipekit.contracts import DatasetContext, Sample
from recipekit.registry import register


@register("datasets", "growing")
class Growing:
    """Two square images, the second one larger."""

    def __init__(self, context: DatasetContext) -> None:
        """Needs nothing of the project."""

    def __len__(self) -> int:
        return 2

    def __getitem__(self, index: int, /) -> Sample:
        return Sample(str(index), {"image": np.ones((4 + index, 4 + index, 3), np.float32)})
