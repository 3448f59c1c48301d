"""The page of a sweep as a file: what stands in it before any script runs."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from plotly.offline import get_plotlyjs

from recipekit.report import sweep_page
from recipekit.summary import Summary, complete
from tests.report.test_page import HOSTILE, Page
from tests.sweep_rows import child, every_fate, failed, many

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "sweep_page.html"


def page(rows: list[dict[str, Any]], **options: Any) -> str:
    return "".join(sweep_page(complete(rows), "Sweep 20260102-030405-abcd", **options))


@cache
def without_scripts(html: str) -> str:
    return re.sub(r"(<script[^>]*>).*?(</script>)", r"\1\2", html, flags=re.DOTALL)


def words(html: str) -> str:
    return Page(without_scripts(html)).words


def scripts(html: str) -> list[tuple[str, str]]:
    """Attributes and content of each script element."""
    return re.findall(r"<script([^>]*)>(.*?)</script>", html, flags=re.DOTALL)


PAGES: dict[str, Callable[[], list[dict[str, Any]]]] = {
    "every fate": every_fate,
    "one child": lambda: [child()],
    "nothing measured": lambda: [failed(0), failed(1)],
    "no child": list,
    "more than it shows": lambda: many(250),
}


@cache
def page_with(rows: str) -> str:
    return page(PAGES[rows]())


@cache
def parsed_page_with(rows: str) -> Page:
    return Page(page_with(rows))


@pytest.mark.parametrize("rows", PAGES)
def test_a_page_is_well_formed_and_says_what_it_is(rows: str) -> None:
    html, parsed = page_with(rows), parsed_page_with(rows)
    assert html.startswith("<!doctype html>")
    assert [name for name, _ in parsed.elements].count("h1") == 1
    assert words(html).startswith("Sweep 20260102-030405-abcd")
    assert {cell.get("scope") for cell in parsed.tags("th")} <= {"col", "row"}
    assert len(parsed.tags("table")) == len(parsed.tags("caption"))
    named = [tag for tag in parsed.elements if "id" in tag[1]]
    assert len({attributes["id"] for _, attributes in named}) == len(named)


@pytest.mark.parametrize("rows", PAGES)
def test_a_page_asks_for_nothing_and_runs_its_own_scripts_alone(rows: str) -> None:
    html, parsed = page_with(rows), parsed_page_with(rows)
    requesting = {"src", "srcset", "action", "data", "poster", "background"}
    assert [(tag, name) for tag, attributes in parsed.elements for name in attributes if name in requesting] == []
    assert not any(":" in (link["href"] or "") for link in parsed.tags("a"))
    assert re.search(r"https?:|url\(|@import", without_scripts(html)) is None
    (policy,) = (meta["content"] or "" for meta in parsed.tags("meta") if meta.get("http-equiv"))
    assert policy.startswith("default-src 'none';")
    code = [content for attributes, content in scripts(html) if "application/json" not in attributes]
    hashes = {f"'sha256-{base64.b64encode(hashlib.sha256(it.encode()).digest()).decode()}'" for it in code}
    assert set(policy.partition("script-src ")[2].split()) == hashes


def test_every_row_has_as_many_cells_as_its_table_has_columns() -> None:
    for table in re.findall(r"<table[^>]*>.*?</table>", page_with("every fate"), flags=re.DOTALL):
        head, *rows = (len(re.findall(r"<t[hd][ >]", row)) for row in table.split("<tr>")[1:])
        assert set(rows) == {head}


def test_a_page_counts_verdicts_and_states_once_what_all_have_in_common() -> None:
    said = words(page_with("every fate"))
    assert "7 children ✓ Accepted : 4 ? Not judged : 1 ✕ Rejected : 1 ✕ Failed : 1" in said
    assert "The same for all: evaluation.benchmark.runs=20" in said
    assert said.count("evaluation.benchmark.runs") == 1


def test_without_scripts_the_table_says_all_of_each_child() -> None:
    said = words(page_with("every fate"))
    line = "2 dynamic_range 2 ✓ Accepted ◆ yes 300,000 0.300 0.9500 0.0200 24.50 0.9800 0.600 — — 1.25 000000000002"
    assert line in said
    assert "parity.sqnr_db.min, task.top1_accuracy.min" in said
    assert "6 weight_only_int8" not in said
    assert "RK401 operator FFT can't be converted 1.25 —" in said


def test_each_trade_off_has_its_front_as_a_table() -> None:
    html = page_with("every fate")
    assert re.findall(r'data-x="([^"]*)" data-y="([^"]*)"', html) == [
        ("size", "task.top1_accuracy"),
        ("latency_p50_ms", "task.top1_accuracy"),
        ("size", "latency_p50_ms"),
    ]
    said = words(html)
    front = "Child 2 300,000 0.9500 converter=dynamic_range, seed=2 Child 1 500,000 0.9700 converter=float16, seed=1"
    assert f"Child Size, bytes top1_accuracy What differs {front}" in said
    assert "Child Size, bytes Latency p50, ms What differs Child 2 300,000 0.600" in said


def test_plotly_is_in_pages_with_something_to_plot_alone() -> None:
    assert len(page_with("one child")) < 60_000
    assert len(page_with("nothing measured")) < 60_000
    bundle = next(content for attributes, content in scripts(page_with("every fate")) if 'id="plotly"' in attributes)
    assert bundle == get_plotlyjs()


def test_a_child_on_no_front_leaves_the_table_with_a_word() -> None:
    said = words(page([child(n, verdict="rejected", exit_code=3) for n in range(2)]))
    assert "none that was not rejected has both" in said
    assert "Pareto front alone" not in said


@pytest.mark.slow
def test_a_large_sweep_shows_its_first_rows_and_where_all_are() -> None:
    html = page(many(250))
    assert html.count('<th scope="row" class="number">') == 200
    assert "The first 200 of 250 children; all are in summary.csv ." in words(html)
    assert "a browser that runs scripts shows all" in words(page(many(250), table=""))
    assert "summary.csv" not in words(page(many(250), table=""))


def hostile(row: dict[str, Any]) -> dict[str, Any]:
    overrides = [f"{HOSTILE}={HOSTILE}{row['number']}"]
    renamed = {key.replace("top1_accuracy", HOSTILE): value for key, value in row.items()}
    return {**renamed, "recipe": HOSTILE, "overrides": overrides, "error": HOSTILE, "failed_checks": [HOSTILE]}


def test_names_with_markup_are_text_in_the_table_and_in_the_data() -> None:
    html = "".join(sweep_page(complete([hostile(row) for row in every_fate()]), HOSTILE))
    assert "<script>alert" not in html
    assert words(html).count(HOSTILE) > 30
    (data,) = (content for attributes, content in scripts(html) if "application/json" in attributes)
    assert not set("<>&") & set(data)
    document = json.loads(data)
    assert document["columns"][1]["label"] == HOSTILE
    assert HOSTILE in document["rows"][0]


def test_the_page_is_the_golden_one(update_goldens: bool) -> None:
    found = without_scripts(page_with("every fate"))
    found = re.sub(r"<style>.*?</style>", "<style></style>", found, flags=re.DOTALL)
    found = re.sub(r"(?: &#39;sha256-[^&]*&#39;)+", " …", found)
    if update_goldens:
        GOLDEN.write_text(found, encoding="utf-8")
    assert found == GOLDEN.read_text(encoding="utf-8")


def test_a_row_without_a_verdict_is_not_shown_with_a_gap() -> None:
    row = complete([child()])[0]
    del row["verdict"]
    with pytest.raises(KeyError, match="verdict"):
        list(sweep_page([row]))


def test_a_page_holds_some_of_very_many_children_and_says_so() -> None:
    def page_of(most: int) -> str:
        return "".join(sweep_page(Summary(many(250)), most=most))

    html, whole = page_of(40), page_of(250)
    (data,) = (json.loads(content) for attributes, content in scripts(html) if 'id="children"' in attributes)
    fronts = [re.findall(r'<table class="front">.*?</table>', text, re.DOTALL) for text in (html, whole)]
    assert fronts[0] == fronts[1] != []
    best = {int(number) for front in fronts[0] for number in re.findall(r">Child (\d+)<", front)}
    assert [row[0] for row in data["rows"]] == sorted({*range(0, 250, 7), *best})
    assert f"This page holds {len(data['rows'])} of them, evenly chosen, and with them" in words(html)
    assert "evenly chosen" not in words(whole)
