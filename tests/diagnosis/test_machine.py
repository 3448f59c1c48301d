"""What `doctor` says of this machine and installation."""

from __future__ import annotations

from recipekit.diagnosis.machine import WHAT_FOR
from recipekit.requirements import extras


def test_every_extra_says_what_it_is_for() -> None:
    assert set(WHAT_FOR) == set(extras())
