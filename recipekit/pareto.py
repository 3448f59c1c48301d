"""Which candidates are worth a choice: those that no other one beats.

Arithmetic on numbers alone; it knows neither recipes nor what is measured.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

Direction = Literal["min", "max"]
"""Whether less or more of a quantity is better."""


def front(points: Sequence[Sequence[float | None]], directions: Sequence[Direction]) -> list[bool]:
    """Whether each point is on the Pareto front.

    A point is on it unless another one is at least as good in every quantity and better in one. Equal points stand or
    fall together. A point that lacks a quantity is on no front, and keeps no other one from it.

    Args:
        points: of each, one value a quantity; None or NaN where it is not known.
        directions: of the quantities.

    Returns:
        An answer a point, in their order. Takes time in proportion to the points times those on the front.
    """
    signs = [1.0 if direction == "min" else -1.0 for direction in directions]
    costs = {
        at: tuple(sign * value for sign, value in zip(signs, point, strict=True) if value is not None)
        for at, point in enumerate(points)
        if all(value is not None and not math.isnan(value) for value in point)
    }
    best: list[tuple[float, ...]] = []
    for cost in sorted(set(costs.values())):  # none that comes later beats one that came before
        if not any(all(map(float.__le__, other, cost)) for other in best):
            best.append(cost)
    members = set(best)
    return [costs.get(at) in members for at in range(len(points))]
