"""One change between two things that are compared, and which of several is the largest."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from recipekit.contracts import Record


class Change(Record, frozen=True, kw_only=True):
    """One thing that is different.

    Attributes:
        group: what it belongs to; the groups of a class have a fixed order.
        name: what is different.
        a: the first side's; None where it has no such thing. JSON values.
        b: the second side's, in the same way.
        weight: how large the change is, to be compared inside of its group alone.
        a_origin: where the first side's was set, where that is known: `recipes/x.yaml:12`.
        b_origin: where the second side's was set.
    """

    group: str
    name: str
    a: Any
    b: Any
    weight: float
    a_origin: str = ""
    b_origin: str = ""


def largest_first(changes: Iterable[Change], groups: Sequence[str]) -> tuple[Change, ...]:
    """Changes by the order of their groups, in each the largest first, equal ones by name."""
    return tuple(sorted(changes, key=lambda change: (groups.index(change.group), -change.weight, change.name)))


def weight_of(a: Any, b: Any) -> float:
    """How large a change is, 0 to 1: of numbers the share of the larger one, a half where one side has none, else 1."""
    if _is_number(a) and _is_number(b):
        return abs(a - b) / max(abs(a), abs(b)) if a != b else 0.0
    return 0.5 if a is None or b is None else 1.0


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
