"""Numbers and bounds in words, the same on terminals and in what CI systems read."""

from __future__ import annotations

from recipekit.acceptance import Check, is_floor


def bound(check: Check) -> str:
    """A check's bound with its side; empty where there is none."""
    if check.limit is None or isinstance(check.limit, bool | str):
        return number(check.limit)
    return f"{'≥' if is_floor(check.name) else '≤'} {number(check.limit)}"


def number(value: float | bool | str | None) -> str:
    """A value as people read it: four digits of a float, empty for None."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:.4g}" if isinstance(value, float) else str(value)
