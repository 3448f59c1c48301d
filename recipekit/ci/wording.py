"""Numbers and bounds in words, the same on terminals and in what CI systems read."""

from __future__ import annotations

from recipekit.acceptance import Check


def bound(check: Check) -> str:
    """A check's bound with its side; empty where there is none."""
    if check.limit is None:
        return ""
    kind = check.name.rpartition(".")[2]
    sign = "≥ " if kind.startswith("min") else "≤ " if kind.startswith("max") else ""
    return f"{sign}{number(check.limit)}"


def number(value: float | bool | str | None) -> str:
    """A value as people read it: four digits of a float, empty for None."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:.4g}" if isinstance(value, float) else str(value)
