"""The nearest known name is offered where one is near, and silence where none is."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recipekit.nearest import did_you_mean, neighbour

NAMES = ("quantization", "converter", "evaluation", "acceptance")


@pytest.mark.parametrize(
    ("typed", "meant"), [("quantisation", "quantization"), ("convertor", "converter"), ("acceptence", "acceptance")]
)
def test_a_typo_gets_the_nearest_name(typed: str, meant: str) -> None:
    assert did_you_mean(typed, NAMES) == f"; did you mean '{meant}'?"


@pytest.mark.parametrize("known", [NAMES, ()])
def test_nothing_is_offered_where_nothing_is_near(known: tuple[str, ...]) -> None:
    assert did_you_mean("zzz", known) == ""


@given(st.sampled_from(NAMES))
def test_a_known_name_is_nearest_to_itself(name: str) -> None:
    assert f"'{name}'" in did_you_mean(name, iter(NAMES))


def test_a_path_that_leads_nowhere_gets_the_nearest_name_beside_it(tmp_path: Path) -> None:
    for name in ("calibration.npz", "test.npz", ".calibratio.npz"):
        (tmp_path / name).touch()
    assert neighbour(tmp_path / "calibratoin.npz") == "; did you mean 'calibration.npz'?"
    assert neighbour(tmp_path / "zzz") == ""
    assert neighbour(tmp_path / "no" / "calibration.npz") == ""
