"""How far a sweep's child is from each bound of its recipe: numbers without a unit, for a sampler to weigh.

A distance above 0 means that the bound is broken. The gate has judged already, and the sign always agrees with it.
"""

from __future__ import annotations

from recipekit.acceptance import Check, is_floor
from recipekit.outcome import Outcome

_BROKEN, _KEPT = 1.0, -1.0
"""The distance of what is no number, such as a dtype."""

_LEAST = 1e-9
"""The least distance of a bound that is broken, where the numbers say that it is met exactly."""


def distances(outcome: Outcome) -> dict[str, float]:
    """The distance from each bound, by the name of its check.

    Args:
        outcome: of a child.
    """
    return {
        check.name: distance(check, accepted=outcome.status == "accepted")
        for check in outcome.checks
        if check.limit is not None
    }


def distance(check: Check, *, accepted: bool = False) -> float:
    """How far a value is beyond its limit, as a share of the greater of both.

    Args:
        check: of a bound.
        accepted: whether the child is accepted all the same, so that an inconclusive check counts as passed.

    Returns:
        Between -2 and 2; above 0 exactly where the bound is broken. A value that only an interval could judge is
        taken at the interval's worse end.
    """
    passed = check.verdict == "pass" or (accepted and check.verdict == "inconclusive")
    if check.margin is None or isinstance(check.limit, bool | str) or isinstance(check.value, bool | str | None):
        return _KEPT if passed else _BROKEN
    limit = check.limit or 0.0
    at_least = is_floor(check.name)
    value = check.value
    if not passed and check.interval is not None:
        value = check.interval[0] if at_least else check.interval[1]
    beyond = limit - value if at_least else value - limit
    share = beyond / (max(abs(limit), abs(value)) or 1.0)
    return min(share, 0.0) if passed else max(share, _LEAST)
