"""A sweep's outcomes, read one at a time: they are a sequence, and no memory holds them all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recipekit.child_outcomes import Lines, Outcomes, outcome_of
from recipekit.outcome import EXIT_CODES, Failure, Outcome, worst_exit_code

STATUS = st.sampled_from([*EXIT_CODES, "failed"])


def ended(number: int, status: str = "accepted", exit_code: int = 5) -> Outcome:
    failure = (
        Failure(id="RK401", exit_code=exit_code, what="w", where="", fix="", log="") if status == "failed" else None
    )
    return Outcome(recipe="digits", number=number, status=status, seconds=0.5, failure=failure)


def write(folder: Path, *outcomes: Outcome) -> Path:
    for outcome in outcomes:
        (folder / str(outcome.number)).mkdir(parents=True)
        (folder / str(outcome.number) / "outcome.json").write_bytes(msgspec.json.encode(outcome))
    return folder


def test_outcomes_are_a_sequence_in_the_order_of_their_numbers_lost_ones_last(tmp_path: Path) -> None:
    lost = ended(-1, "failed")
    (tmp_path / "7").mkdir()  # a child that has not ended
    (tmp_path / ".rows").touch()
    outcomes = Outcomes(write(tmp_path, *map(ended, (10, 9, 100))), (lost,))
    assert [outcome.number for outcome in outcomes] == [9, 10, 100, -1]
    assert (len(outcomes), outcomes[0].number, outcomes[-1], outcomes[2].number) == (4, 9, lost, 100)
    assert outcomes[1:3] == (ended(10), ended(100))
    assert next(reversed(outcomes)) == lost
    with pytest.raises(IndexError):
        outcomes[4]


def test_what_is_no_outcome_of_its_child_is_none_of_them(tmp_path: Path) -> None:
    write(tmp_path, ended(0), ended(1, "failed"), ended(2, "rejected"))
    (tmp_path / "1" / "outcome.json").write_text('{"recipe": "digits", "num')
    (tmp_path / "2" / "outcome.json").rename(tmp_path / "0" / "outcome.json")
    write(tmp_path, ended(3))
    outcomes = Outcomes(tmp_path)
    assert [outcome.number for outcome in outcomes] == [3]
    assert outcomes.exit_code == 0
    assert [outcome_of(tmp_path, number) for number in range(5)] == [None, None, None, ended(3), None]


def test_a_child_that_ends_later_is_none_of_them(tmp_path: Path) -> None:
    outcomes = Outcomes(write(tmp_path, ended(0)))
    write(tmp_path, ended(1))
    assert len(outcomes) == len(list(outcomes)) == 1


@given(st.lists(st.tuples(STATUS, st.sampled_from([1, 2, 4, 5, 6, 7])), max_size=6))
def test_the_exit_code_is_the_worst_child_s(
    tmp_path_factory: pytest.TempPathFactory, endings: list[tuple[str, int]]
) -> None:
    outcomes = [ended(number, *ending) for number, ending in enumerate(endings)]
    folder = write(tmp_path_factory.mktemp("sweep"), *outcomes[1:])
    expected = worst_exit_code([outcome.exit_code for outcome in outcomes])
    assert Outcomes(folder, tuple(outcomes[:1])).exit_code == expected


def test_lines_are_rows_that_are_read_anew_each_time_by_several_at_once(tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [{"a": 1.5, "b": ["x\ny", None]}, {"a": 3}]
    lines = Lines(tmp_path / ".rows", iter(rows))
    assert len(lines) == 2
    assert list(zip(lines, lines, strict=True)) == [(row, row) for row in rows]
    assert rows[1] in lines
    assert {} not in lines
