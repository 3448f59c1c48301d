"""A histogram of errors whose range nobody knows before the last one, in bounded memory.

Limits are powers of two and bins have the same width on both sides of zero, so that doubling the range puts bins
together two by two and the counts are those of all errors at once, however they arrive.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from recipekit.contracts.figures import ErrorHistogram

_BINS = 64
"""On each side of zero there are half as many, so at least a quarter of all lie within the range of the errors."""

_LEAST_EXPONENT = -1000
"""So that a bin's width is still a normal number."""


class GrowingHistogram:
    """Counts of signed errors."""

    def __init__(self) -> None:
        self._limit = 0.0
        self._counts = np.zeros(_BINS, np.int64)

    def add(self, errors: npt.NDArray[np.float64]) -> None:
        """Counts some errors, finite numbers in an array of any shape."""
        largest = float(np.abs(errors).max(initial=0.0))
        if largest >= self._limit and largest > 0:
            self._grow(math.ldexp(1.0, max(math.frexp(largest)[1], _LEAST_EXPONENT)))
        if self._limit == 0:
            self._counts[0] += errors.size
            return
        width = 2 * self._limit / _BINS
        at = np.floor(errors.ravel() / width).astype(np.int64) + _BINS // 2
        self._counts += np.bincount(at, minlength=_BINS)

    def result(self) -> ErrorHistogram:
        """What was counted."""
        return ErrorHistogram(limit=self._limit, counts=tuple(self._counts.tolist()))

    def _grow(self, limit: float) -> None:
        """Widens the range to a limit above the present one."""
        if self._limit == 0:  # zeros alone were seen; their bin begins at the middle
            self._counts = np.roll(self._counts, _BINS // 2)
            self._limit = limit
        while self._limit < limit and self._counts.any():
            paired = self._counts.reshape(-1, 2).sum(axis=1)
            self._counts = np.pad(paired, _BINS // 4)
            self._limit *= 2
        self._limit = limit
