"""The metric `confusion_cost`: how far predicted classes are from the true ones, on average."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt


class ConfusionCost:
    """Mean of |predicted - true| ** power; 0 is perfect."""

    higher_is_better = False

    def __init__(self, *, power: float = 1.0, output: str = "class") -> None:
        if power <= 0:
            raise ValueError(f"'power' must be positive, got {power}")
        self._power, self._output = power, output

    def score(
        self, labels: npt.NDArray[Any], outputs: Mapping[str, npt.NDArray[Any]], weights: npt.NDArray[Any] | None
    ) -> float:
        predicted = outputs[self._output].argmax(axis=-1)
        return float(np.average(np.abs(predicted - labels) ** self._power, weights=weights))

    def hits(self, labels: npt.NDArray[Any], outputs: Mapping[str, npt.NDArray[Any]]) -> None:
        """A cost is no share of right samples."""
