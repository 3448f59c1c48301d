"""Job summaries: Markdown tables that stay tables whatever stands in a cell."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recipekit.ci.suites import Case, Suite
from recipekit.ci.summary import cell, run_summary, suite_summary, sweep_summary
from tests.ci.outcomes import MISSED, PASSED, TYPED, failed, outcome

ROOT = Path("/project")


@pytest.fixture(autouse=True)
def no_runner(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GITHUB_SERVER_URL", raising=False)


@given(st.text())
def test_a_cell_is_one_line_without_marks(text: str) -> None:
    made = cell(text)
    assert made.isprintable()
    assert not set("|`<>*[]\\~") & set(made)


def test_a_run_tells_verdict_checks_size_and_place() -> None:
    page = run_summary(outcome("rejected", PASSED, MISSED, TYPED), ROOT)
    lines = page.splitlines()
    assert lines[0] == "## digits seed=1"
    assert lines[2] == "**rejected** in 1.5 s · 2,048 bytes, 25.6% of float32 · `outputs/digits/1.0.0/ffffffffffff`"
    assert "| parity.sqnr_db.min | ≥ 15 | 20.25 | 5.25 | pass |" in lines
    assert "| task.top1_accuracy.max_drop | ≤ 0.01 | 0.02 | -0.01 | fail |" in lines
    assert "| model.input_type | int8 | float32 |  | fail |" in lines
    assert 'a "b" &#60;c&#62; &#38; &#124; &#96;d&#96;' in page


def test_a_sweep_has_a_row_for_each_child_with_the_reason() -> None:
    outcomes = [outcome("accepted", PASSED), outcome("rejected", MISSED, number=1), failed(2)]
    page = sweep_summary(outcomes, ROOT / "outputs" / "sweeps" / "s1", ROOT)
    assert "**1 of 3 accepted** · `outputs/sweeps/s1`" in page
    rows = [line for line in page.splitlines() if line.startswith("|")]
    assert len(rows) == 5
    assert {row.count("|") for row in rows} == {7}
    assert "| 1 | digits seed=1 | rejected | 2,048 | 20.25 | task.top1_accuracy.max_drop 0.02 (≤ 0.01) |" in rows
    assert rows[-1].startswith("| 2 | digits | RK401 |  |  | the converter refused a ")


def test_a_long_sweep_stays_below_what_github_takes() -> None:
    outcomes = [outcome("accepted", PASSED, overrides=("seed=" + "1" * 900,), number=at) for at in range(2000)]
    page = sweep_summary(outcomes, ROOT / "s1", ROOT)
    assert len(page.encode()) < 2**20
    assert "… and 1,500 more" in page


def test_the_workflow_run_is_linked_where_the_runner_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    names = {"GITHUB_SERVER_URL": "https://github.com", "GITHUB_REPOSITORY": "me/models", "GITHUB_RUN_ID": "7"}
    for name, value in names.items():
        monkeypatch.setenv(name, value)
    page = suite_summary(Suite("validate", (Case("digits"), Case("letters", "failed", "no | good"))))
    assert "**1 of 2 passed**" in page
    assert "| letters | fail | no &#124; good |" in page
    assert page.endswith("(https://github.com/me/models/actions/runs/7)\n")
