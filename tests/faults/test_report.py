"""Every row of the fault table has a test, and the page says what these have seen."""

from __future__ import annotations

import pytest

from tests.faults.report import marked, on_disk
from tests.faults.rows import ROWS


@pytest.mark.slow
@pytest.mark.parametrize("row", ROWS)
def test_every_row_has_a_test(row: int) -> None:
    assert any(row == there for there, _ in marked())


def test_the_page_knows_every_row_that_has_a_test_and_no_other() -> None:
    assert {one.row for one in on_disk()} == ROWS.keys()


def test_the_page_names_every_test_and_no_other() -> None:
    assert {(one.row, one.test) for one in on_disk()} == marked()


@pytest.mark.parametrize("row", ROWS)
def test_every_exit_code_that_was_seen_is_a_right_one(row: int) -> None:
    right = {"SIGKILL" if code == -9 else str(code) for code in ROWS[row].exits}
    assert {one.exit for one in on_disk() if one.row == row} <= right
