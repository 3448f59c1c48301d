"""The end of a single run: what was measured is told, with a bound or without."""

from __future__ import annotations

import io
from pathlib import Path

import msgspec
import pytest
from rich.console import Console

from recipekit.acceptance import Acceptance, Bound
from recipekit.cli.screen import Screen, explained
from recipekit.gate import judge
from recipekit.outcome import Outcome, StageReport
from tests.whole_outputs import MEASUREMENT


def told(acceptance: Acceptance, width: int = 100) -> str:
    """What is shown of a run with these bounds."""
    verdict = judge(acceptance, MEASUREMENT)
    outcome = Outcome(recipe="digits", overrides=(), number=0, status=verdict.status, seconds=1.0)
    file = io.StringIO()
    whole = msgspec.structs.replace(outcome, checks=verdict.checks, measurement=MEASUREMENT)
    Screen(Console(file=file, width=width)).outcome(whole, Path())
    return file.getvalue()


@pytest.mark.parametrize(
    ("acceptance", "line"),
    [
        (Acceptance(), "  without a bound: top1_accuracy 0.95 (float model 0.97), SQNR 20.2 dB\n"),
        (Acceptance(parity={"rmse": Bound(max=1)}), "  without a bound: top1_accuracy 0.95 (float model 0.97)\n"),
        (Acceptance(task={"top1_accuracy": Bound(max_drop=0.1)}), "  without a bound: SQNR 20.2 dB\n"),
    ],
)
def test_quality_that_no_check_judges_is_told_all_the_same(acceptance: Acceptance, line: str) -> None:
    assert line in told(acceptance)


def test_where_every_quality_has_a_bound_nothing_is_added() -> None:
    bounds = Acceptance(parity={"sqnr_db": Bound(min=20)}, task={"top1_accuracy": Bound(min=0.9)})
    assert "without a bound" not in told(bounds)


def test_overrides_of_a_sweep_are_shown_as_typed_brackets_and_all() -> None:
    typed = ("source.signature=[encode,decode]",)
    outcome = Outcome(recipe="digits", overrides=typed, number=0, status="accepted", seconds=1.0)
    file = io.StringIO()
    Screen(Console(file=file, width=100)).sweep([outcome], Path("/[home]/sweeps/x"), Path("/elsewhere"))
    assert typed[0] in file.getvalue()
    assert "summary: /[home]/sweeps/x\n" in file.getvalue()


def test_intervals_have_a_column_where_there_are_any() -> None:
    assert "interval" in told(Acceptance(task={"top1_accuracy": Bound(min=0.9)}))
    assert "interval" not in told(Acceptance(parity={"sqnr_db": Bound(min=20)}))


@pytest.mark.parametrize("width", [40, 60, 100])
def test_no_terminal_is_too_narrow_for_bounds_values_and_verdicts(width: int) -> None:
    shown = told(Acceptance(task={"top1_accuracy": Bound(min=0.9)}, parity={"sqnr_db": Bound(min=20)}), width)
    assert "…" not in shown
    assert max(map(len, shown.splitlines())) <= width
    for words in ("bound", "value", "verdict", "≥ 0.9", "0.95", "≥ 20", "20.2"):
        assert words in shown
    assert ("interval" in shown) == (width >= 60)


def test_stages_are_explained_in_the_order_of_a_build_whatever_was_found_first() -> None:
    labels = ("quantize", "survey-evaluation", "load", "illustrate", "calibrate")
    stages = tuple(StageReport(name=label, seconds=1.0, found=label != "calibrate") for label in labels)
    outcome = Outcome(recipe="digits", status="accepted", seconds=1.0, stages=stages)
    named = [line.plain.split()[1] for line in explained(outcome)]
    assert named == ["survey-evaluation", "load", "calibrate", "quantize", "illustrate"]
