"""The rows of a summary: one set of columns, what differs, what is weighed, and who is on the front."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recipekit import digests
from recipekit.outcome import Outcome
from recipekit.summary import Comparison, Summary, as_csv, complete, json_lines, overridden
from tests.sweep_rows import child, every_fate, failed
from tests.test_outcome import outcome

KEYS = st.sampled_from(["seed", "converter", "acceptance.size.ratio.max"])
OVERRIDES = st.lists(st.builds("{}{}={}".format, st.sampled_from(["", "+", "++"]), KEYS, st.integers(0, 2)), max_size=4)
ROWS = st.lists(OVERRIDES.map(lambda overrides: child(overrides=overrides)), max_size=5)


def column(rows: list[dict[str, Any]], key: str) -> list[Any]:
    return [row[key] for row in rows]


@given(ROWS)
def test_rows_share_their_columns_and_completing_them_again_changes_nothing(rows: list[dict[str, Any]]) -> None:
    full = complete(rows)
    assert len({tuple(row) for row in full}) <= 1
    assert complete(full) == full
    assert complete(json.loads(json.dumps(full, sort_keys=True))) == full


@given(ROWS)
def test_an_override_is_a_column_where_it_differs_and_in_common_where_it_does_not(rows: list[dict[str, Any]]) -> None:
    full = complete(rows)
    changed = {key.removeprefix("override.") for row in full for key in row if key.startswith("override.")}
    given_ = [overridden(row["overrides"]) for row in rows]
    for key in {key for values in given_ for key in values}:
        values = [values.get(key) for values in given_]
        assert (key in changed) == (len(set(values)) > 1)
        assert Comparison(rows).in_common.get(key) == (None if key in changed else values[0])
        if key in changed:
            assert column(full, f"override.{key}") == values


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        (["converter=int8", "+seed=1", "++a.b=x=y"], {"converter": "int8", "seed": "1", "a.b": "x=y"}),
        (["~acceptance.latency", "seed=1", "seed=2"], {"acceptance.latency": "(removed)", "seed": "2"}),
        ([], {}),
    ],
)
def test_an_override_is_a_key_and_a_value(overrides: list[str], expected: dict[str, str]) -> None:
    assert overridden(overrides) == expected


def test_the_front_is_that_of_the_children_that_were_not_rejected() -> None:
    rows = complete(every_fate())
    assert column(rows, "pareto") == [False, True, True, False, False, False, False]
    stated = ["size:min", "latency_p50_ms:min", "task.top1_accuracy:max"]
    assert column(rows, "pareto_objectives") == [stated] * 7


def test_quality_is_a_task_metric_or_else_the_sqnr() -> None:
    without = [{key: value for key, value in child(n).items() if not key.startswith("task.")} for n in range(2)]
    assert Comparison(without).objectives == {"size": "min", "latency_p50_ms": "min", "sqnr_db": "max"}
    lower = {"task.mae": 2.0, "task.mae.drop": 0.5, "task.mae.better": "lower"}
    both = [child(0), {**without[1], **lower}, {**without[1], **lower}]
    assert Comparison(both).objectives == {"size": "min", "latency_p50_ms": "min", "task.mae": "min"}
    assert Comparison([failed(0)]).objectives == {}


def test_a_drop_is_always_a_loss() -> None:
    known = Comparison([outcome(measurement=None).row(), child()]).directions
    assert (known["task.top1_accuracy"], known["task.top1_accuracy.drop"]) == ("max", "min")
    assert Comparison([failed(0)]).directions == {"seconds": "min"}


def test_where_nothing_was_measured_nobody_is_on_the_front() -> None:
    rows = complete([failed(0), failed(1)])
    assert column(rows, "pareto") == [False, False]
    assert column(rows, "pareto_objectives") == [[], []]


def test_the_row_of_an_outcome_has_the_columns_of_the_test_rows() -> None:
    row = Outcome(recipe="digits", status="accepted", seconds=1.0).row()
    assert list(row) == [key for key in child() if not key.startswith("task.")]


def test_the_table_says_the_same_as_the_rows() -> None:
    rows = complete(every_fate())
    table = list(csv.DictReader(io.StringIO(as_csv(rows))))
    assert [list(line) for line in table] == [list(row) for row in rows]
    assert table[4]["failed_checks"] == "parity.sqnr_db.min task.top1_accuracy.min"
    assert (table[6]["size"], table[6]["override.seed"], table[6]["pareto"]) == ("", "6", "False")
    assert as_csv([]) == "number\r\n"


@given(ROWS)
def test_the_rows_one_by_one_are_the_json_of_all_of_them(rows: list[dict[str, Any]]) -> None:
    assert "".join(json_lines(Summary(rows))) == digests.pretty_json(complete(rows))


def test_a_summary_reads_its_rows_anew_each_time_and_keeps_none() -> None:
    read = 0

    class Counted(list[dict[str, Any]]):
        def __iter__(self) -> Iterator[dict[str, Any]]:
            nonlocal read
            read += 1
            return super().__iter__()

    summary = Summary(Counted(every_fate()))
    assert read == 2
    assert list(summary) == list(summary) == complete(every_fate())
    assert read == 4
    assert len(summary) == 7
