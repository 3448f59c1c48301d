"""Which candidates are worth a choice: those that no other one beats.

Arithmetic on numbers alone; it knows neither recipes nor what is measured.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

Direction = Literal["min", "max"]
"""Whether less or more of a quantity is better."""


class Front:
    """The Pareto front of points that come one by one; it keeps those alone that none has beaten so far.

    A point is on it unless another one is at least as good in every quantity and better in one. Equal points stand or
    fall together. A point that lacks a quantity is on no front, and keeps no other one from it.
    """

    def __init__(self, directions: Sequence[Direction]) -> None:
        """Has no point yet.

        Args:
            directions: of the quantities.
        """
        self._signs = [1.0 if direction == "min" else -1.0 for direction in directions]
        self._best: dict[tuple[float, ...], None] = {}

    def add(self, point: Sequence[float | None]) -> None:
        """Takes one more point, in time in proportion to those that are on the front.

        Args:
            point: one value a quantity; None or NaN where it is not known.
        """
        cost = self._cost(point)
        if cost is None or cost in self._best or any(_is_as_good(other, cost) for other in self._best):
            return
        for other in [other for other in self._best if _is_as_good(cost, other)]:
            del self._best[other]
        self._best[cost] = None

    def __contains__(self, point: Sequence[float | None]) -> bool:
        """Whether a point that was added is on the front of all that were."""
        return self._cost(point) in self._best

    def _cost(self, point: Sequence[float | None]) -> tuple[float, ...] | None:
        """What is to be little of it; None where it lacks a quantity."""
        costs = tuple(
            sign * value
            for sign, value in zip(self._signs, point, strict=True)
            if value is not None and not math.isnan(value)
        )
        return costs if len(costs) == len(self._signs) else None


def front(points: Sequence[Sequence[float | None]], directions: Sequence[Direction]) -> list[bool]:
    """Whether each point is on the Pareto front of them all; see `Front`.

    Args:
        points: of each, one value a quantity; None or NaN where it is not known.
        directions: of the quantities.

    Returns:
        An answer a point, in their order. Takes time in proportion to the points times those on the front.
    """
    found = Front(directions)
    for point in points:
        found.add(point)
    return [point in found for point in points]


def _is_as_good(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return all(map(float.__le__, one, other))
