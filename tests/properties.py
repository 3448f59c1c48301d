"""How many examples a property is tried with whose examples are dear."""

from __future__ import annotations

from hypothesis import settings


def at_most(examples: int) -> int:
    """So many, or as many as the profile gives to every property where these are fewer: the everyday loop's."""
    return min(examples, settings().max_examples)
