from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recipekit.contracts import EXACT_SQNR_DB
from recipekit.report.sweep_columns import Column, cell, changes, text
from recipekit.report.sweep_columns import columns as columns_of
from recipekit.summary import Comparison, complete
from tests.sweep_rows import child, every_fate, failed


def columns(rows: list[dict[str, Any]]) -> list[Column]:
    return columns_of(rows, Comparison(rows).directions)


def labels(rows: list[dict[str, Any]]) -> list[str]:
    return [column.label for column in columns(complete(rows))]


def test_the_columns_stand_in_the_order_in_which_a_reader_asks() -> None:
    assert labels(every_fate()) == [
        "Child",
        "converter",
        "seed",
        "Verdict",
        "Pareto front",
        "Size, bytes",
        "Size ratio",
        "top1_accuracy",
        "top1_accuracy drop",
        "Worst SQNR, dB",
        "Same argmax",
        "Latency p50, ms",
        "Failed checks",
        "Error",
        "Seconds",
        "Report",
    ]


def test_the_shortest_latency_has_three_digits() -> None:
    rows = [child(n, latency_p50_ms=latency) for n, latency in enumerate((0.00437, 12.5))]
    (column,) = (it for it in columns(rows) if it.label == "Latency p50, ms")
    assert [text(column, row["latency_p50_ms"]) for row in rows] == ["0.00437", "12.50000"]
    (column,) = (it for it in columns([child(0, latency_p50_ms=12.5)]) if it.label == "Latency p50, ms")
    assert text(column, 12.5) == "12.500"


def test_a_column_that_no_child_has_is_left_out() -> None:
    assert labels([failed(0)]) == ["Child", "Verdict", "Error", "Seconds"]
    assert "Latency p50, ms" not in labels([child(n, latency_p50_ms=None) for n in range(2)])
    assert labels([]) == []


def test_recipes_names_and_versions_are_columns_where_they_differ() -> None:
    assert not {"recipe", "name", "version"} & set(labels([child(0), child(1)]))
    rows = [child(0), child(1, recipe="letters", name="letters", version="2.0.0")]
    assert labels(rows)[1:4] == ["recipe", "version", "converter"]
    assert "name" in labels([child(0), child(1, name="other")])


def test_settings_are_numbers_where_all_of_them_are() -> None:
    rows = [child(n, overrides=[f"seed={n}", f"converter={'int8' if n else 5}"]) for n in range(2)]
    assert {column.key: column.numeric for column in columns(complete(rows)) if column.kind == "setting"} == {
        "override.seed": True,
        "override.converter": False,
    }


@given(st.lists(st.floats(1e-9, 1e9), min_size=1, max_size=4))
def test_a_score_shows_four_digits_of_the_largest_value_or_more(values: list[float]) -> None:
    rows = complete([child(n, **{"task.top1_accuracy": value}) for n, value in enumerate(values)])
    score = next(column for column in columns(rows) if column.key == "task.top1_accuracy")
    shown = float(text(score, max(values)).replace(",", ""))
    assert shown == pytest.approx(max(values), rel=1e-2 if max(values) < 0.1 else 1e-3)
    assert score.decimals <= (4 if max(values) >= 0.01 else 15)


@pytest.mark.parametrize(
    ("column", "value", "expected"),
    [
        (Column("size", "", "number"), 1234567, "1,234,567"),
        (Column("number", "", "child"), 1234, "1234"),
        (Column("ratio", "", "number", decimals=3), 0.25, "0.250"),
        (Column("sqnr_db", "", "decibels", decimals=2), 31.456, "31.46"),
        (Column("sqnr_db", "", "decibels", decimals=2), EXACT_SQNR_DB, "exact"),
        (Column("failed_checks", "", "list"), ["a.min", "b.max"], "a.min, b.max"),
        (Column("pareto", "", "front"), True, "◆ yes"),
        (Column("output", "", "link"), "../../d%20x/1.0.0/abc/report.html", "abc"),
        (Column("error", "", "text"), None, "—"),
    ],
)
def test_a_value_reads_as_its_column_says(column: Column, value: Any, expected: str) -> None:
    assert text(column, value) == expected


def test_a_link_leads_to_the_report_of_the_output() -> None:
    link = Column("output", "", "link")
    assert cell(link, child(1, output="../a b/javascript:x")) == "../a%20b/javascript%3Ax/report.html"
    assert cell(link, failed(1)) is None


def test_what_a_child_has_that_others_have_not_is_a_line() -> None:
    rows = complete(every_fate())
    assert changes(columns(rows), rows[3]) == "converter=int8, seed=3"
