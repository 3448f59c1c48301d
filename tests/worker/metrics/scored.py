"""Drawn labels, scores and weights for the tests of task metrics."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from hypothesis import strategies as st


@dataclass(frozen=True)
class Scored:
    """Labelled samples with a score for each class.

    Attributes:
        labels: class indices, shape (samples,).
        scores: shape (samples, classes), no two equal in a row.
        weights: how often each sample counts, shape (samples,), at least one of them above zero; None for once.
    """

    labels: npt.NDArray[np.int64]
    scores: npt.NDArray[np.float64]
    weights: npt.NDArray[np.float64] | None

    @property
    def copies(self) -> npt.NDArray[Any]:
        """Indices of the samples, each as often as its weight says."""
        weights = np.ones(len(self.labels)) if self.weights is None else self.weights
        return np.repeat(np.arange(len(self.labels)), weights.astype(int))


@st.composite
def scored(draw: st.DrawFn, min_classes: int = 2, max_classes: int = 6) -> Scored:
    """A strategy for `Scored`."""
    samples, classes = draw(st.integers(2, 30)), draw(st.integers(min_classes, max_classes))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    weights = rng.integers(0, 3, samples).astype(np.float64) if draw(st.booleans()) else None
    if weights is not None:
        weights[rng.integers(samples)] = 1
    return Scored(rng.integers(0, classes, samples), rng.normal(0, 2, (samples, classes)), weights)
