"""The page of a sweep as a reader uses it: sorted, filtered, hovered, clicked, on a phone, in the dark and on paper."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from recipekit.report import sweep_page
from recipekit.summary import complete
from tests.browser import PHONE, Opened, OpenPage
from tests.sweep_rows import child, every_fate, many, measured

pytestmark = pytest.mark.slow

Written = Callable[..., Path]

FIRST_PLOT = ".plot >> nth=0"

ACCEPTED = "document.querySelector('.chart').data?.at(-2).marker.color"
"""The colour of the marks of accepted children in the first plot."""


@pytest.fixture
def written(tmp_path: Path) -> Written:
    """Writes the page of some rows where a sweep has it, and a report for each child."""

    def write(rows: list[dict[str, Any]] | None = None) -> Path:
        folder = tmp_path / "outputs" / "sweeps" / "s1"
        folder.mkdir(parents=True)
        rows = every_fate() if rows is None else rows
        for row in rows[:10]:
            if row["output"]:
                output = (folder / row["output"]).resolve()
                output.mkdir(parents=True)
                (output / "report.html").write_text(f"<!doctype html><title>Report of {row['number']}</title>")
        (folder / "summary.html").write_text("".join(sweep_page(complete(rows), "Sweep s1")), encoding="utf-8")
        return folder / "summary.html"

    return write


def cells(opened: Opened, number: int) -> list[str]:
    """The texts of a column, from the top of the table."""
    found: list[str] = opened.page.eval_on_selector_all(
        f"#rows tbody tr > :nth-child({number})", "cells => cells.map(cell => cell.textContent)"
    )
    return found


def drawn(opened: Opened, plot: int = 0) -> Opened:
    """The same once a plot is in view and drawn."""
    chart = opened.page.locator(".chart").nth(plot)
    chart.scroll_into_view_if_needed()
    chart.locator(".main-svg").first.wait_for()
    return opened


def marks(opened: Opened, plot: int = 0) -> int:
    return opened.page.locator(".chart").nth(plot).locator(".scatterlayer .points path.point").count()


def middle(opened: Opened, curve: int, point: int) -> tuple[float, float]:
    """Where a mark of the first plot is in the window."""
    traces = opened.page.locator(".chart").first.locator(".scatterlayer .trace")
    box = traces.nth(curve).locator("path.point").nth(point).bounding_box()
    assert box
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_a_script_draws_the_rows_as_they_stand_in_the_page(open_page: OpenPage, written: Written) -> None:
    path = written()
    text = "document.querySelector('#rows tbody').innerText"
    plain = open_page(path, scripts=False).page.inner_text("#rows tbody")
    opened = open_page(path)
    assert opened.page.evaluate(text) == plain
    opened.assert_quiet()


def test_the_front_of_a_plot_is_the_one_that_python_has_found(open_page: OpenPage, written: Written) -> None:
    path = written(many(300))
    plain = open_page(path, scripts=False)
    opened = open_page(path)
    for plot in range(3):
        drawn(opened, plot)
        fronts = [it.page.locator(".plot .front tbody").nth(plot).inner_text() for it in (plain, opened)]
        assert fronts[0] == fronts[1]
        assert fronts[0].count("Child") > 2


def test_a_click_on_a_head_sorts_and_a_second_one_turns_the_order(open_page: OpenPage, written: Written) -> None:
    opened = open_page(written())
    head = opened.page.locator("#rows thead th", has_text="Size, bytes")
    sizes = ["250,000", "300,000", "300,005", "320,000", "500,000", "1,000,000"]
    head.get_by_role("button").click()
    assert (cells(opened, 6), head.get_attribute("aria-sort")) == ([*sizes, "—"], "ascending")
    head.get_by_role("button").click()
    assert (cells(opened, 6), head.get_attribute("aria-sort")) == ([*sizes[::-1], "—"], "descending")
    assert opened.page.locator("th[aria-sort=none]").count() == 15


def test_the_keyboard_sorts_too_and_words_are_sorted_as_words(open_page: OpenPage, written: Written) -> None:
    opened = open_page(written())
    opened.page.locator("#rows thead button", has_text="converter").focus()
    opened.page.keyboard.press("Enter")
    in_order = ["dynamic_range", "float16", "int8", "int16x8", "none", "weight_only_int4", "weight_only_int8"]
    assert cells(opened, 2) == in_order
    opened.page.keyboard.press("Tab")
    opened.page.keyboard.press("Tab")
    opened.page.keyboard.press("Space")
    assert cells(opened, 4)[::5] == ["✓ Accepted", "✕ Rejected"]


def test_words_and_verdicts_filter_the_table_and_the_plots_together(open_page: OpenPage, written: Written) -> None:
    opened = drawn(open_page(written()))
    assert marks(opened) == 5 + 2  # the front is marked once more
    opened.page.fill("#words", "DYNAMIC 0.95")
    assert cells(opened, 1) == ["2"]
    assert opened.page.inner_text("#shown") == "Shown: 1 (of 7)"
    opened.wait_until("document.querySelectorAll('.plot:first-child .points path.point').length === 2")
    opened.page.fill("#words", "")
    opened.page.get_by_label("✓ Accepted").uncheck()
    assert cells(opened, 1) == ["4", "5", "6"]
    opened.page.get_by_label("✓ Accepted").check()
    opened.page.get_by_label("Pareto front alone").check()
    assert cells(opened, 1) == ["1", "2"]
    opened.assert_quiet()


def test_a_front_is_that_of_what_is_shown(open_page: OpenPage, written: Written) -> None:
    opened = drawn(open_page(written()))
    front = opened.page.locator(".plot .front tbody").first
    assert front.inner_text().split("\n")[0].startswith("Child 2")
    opened.page.fill("#words", "int8")  # of children 3 and 4 the second one was rejected
    front.get_by_text("Child 3").wait_for()
    assert front.locator("tr").count() == 1
    opened.page.fill("#words", "weight_only")
    front.get_by_text("none that was not rejected has both").wait_for()


def test_the_axes_are_chosen_among_what_was_measured(open_page: OpenPage, written: Written) -> None:
    opened = drawn(open_page(written()))
    across = opened.page.locator(FIRST_PLOT).get_by_label("Across")
    assert across.locator("option").all_inner_texts() == [
        "Size, bytes",
        "Size ratio",
        "top1_accuracy",
        "top1_accuracy drop",
        "Worst SQNR, dB",
        "Same argmax",
        "Latency p50, ms",
        "Seconds",
    ]
    across.select_option("Latency p50, ms")
    title = opened.page.locator(".chart").first.locator(".xtitle")
    assert title.text_content() == "Latency p50, ms (less is better)"
    heads = opened.page.locator(".plot .front").first.locator("thead th").all_inner_texts()
    assert heads == ["Child", "Latency p50, ms", "top1_accuracy", "What differs"]


def test_a_mark_tells_who_it_is_and_a_click_opens_its_report(open_page: OpenPage, written: Written) -> None:
    opened = drawn(open_page(written()))
    place = middle(opened, 1, 2)
    opened.page.mouse.move(*place)
    hover = opened.page.locator(".chart").first.locator(".hoverlayer")
    hover.get_by_text("Child 2: ✓ Accepted").wait_for()
    lines = hover.locator("tspan").all_text_contents()
    assert lines == [
        "Child 2: ✓ Accepted",
        "converter=dynamic_range, seed=2",
        "Size, bytes: 300,000",
        "top1_accuracy: 0.9500",
    ]
    with opened.page.expect_navigation():
        opened.page.mouse.click(*place)
    assert opened.page.title() == "Report of 2"
    opened.assert_quiet()


def test_arrow_keys_go_from_mark_to_mark_and_enter_opens_the_report(open_page: OpenPage, written: Written) -> None:
    opened = drawn(open_page(written()))
    opened.page.locator(".chart").first.focus()
    said = opened.page.locator(".pointed").first
    opened.page.keyboard.press("ArrowRight")
    assert said.inner_text().startswith("Child 4: ✕ Rejected, converter=int16x8, seed=4, Size, bytes: 250,000")
    opened.page.keyboard.press("ArrowRight")
    assert said.inner_text().startswith("Child 2: ✓ Accepted")
    opened.page.keyboard.press("End")
    assert said.inner_text().startswith("Child 0")
    with opened.page.expect_navigation():
        opened.page.keyboard.press("Enter")
    assert opened.page.title() == "Report of 0"


def test_every_link_of_a_child_leads_to_its_report(open_page: OpenPage, written: Written) -> None:
    opened = open_page(written())
    opened.page.get_by_role("link", name="000000000003").click()
    opened.page.wait_for_url("**/report.html")
    assert opened.page.title() == "Report of 3"


def test_verdicts_differ_by_shape_and_colour(open_page: OpenPage, written: Written) -> None:
    rows = [*every_fate(), measured(7, 400_000, 0.96, 0.65, verdict="not-judged")]
    opened = drawn(open_page(written(rows)))
    markers = opened.page.evaluate(
        "document.querySelector('.chart').data.filter(it => it.customdata)"
        ".map(it => [it.name, it.marker.symbol, it.marker.color])"
    )
    assert [name for name, _, _ in markers] == ["Rejected", "Not judged", "Accepted"]
    assert len({symbol for _, symbol, _ in markers}) == len({colour for _, _, colour in markers}) == 3


def test_a_value_far_from_the_others_makes_its_axis_logarithmic(open_page: OpenPage, written: Written) -> None:
    rows = [measured(n, 300_000 + n, 0.9 + n / 100, latency) for n, latency in enumerate((0.2, 0.25, 14.0))]
    opened = drawn(open_page(written(rows)), 1)
    types = "document.querySelectorAll('.chart')[1]._fullLayout"
    assert opened.page.evaluate(f"[{types}.xaxis.type, {types}.yaxis.type]") == ["log", "linear"]


def test_an_exact_output_is_drawn_above_the_others(open_page: OpenPage, written: Written) -> None:
    rows = [child(n, sqnr_db=sqnr) for n, sqnr in enumerate((20.0, 400.0))]
    rows = [{key: value for key, value in row.items() if not key.startswith("task.")} for row in rows]
    opened = drawn(open_page(written(rows)))
    assert opened.page.evaluate("document.querySelector('.chart').data[0].y") == [20, 22]
    assert "exact" in opened.page.locator(".plot .front").first.inner_text()


def test_names_with_markup_are_text_everywhere(open_page: OpenPage, written: Written) -> None:
    overrides = [f"converter=<img src=x onerror=alert({n})>&amp;" for n in range(3)]
    rows = [measured(n, 300_000 + n, 0.9 + n / 100, 1.0, overrides=[overrides[n]]) for n in range(3)]
    opened = drawn(open_page(written(rows)))
    opened.page.mouse.move(*middle(opened, 0, 1))
    hover = opened.page.locator(".chart").first.locator(".hoverlayer")
    hover.get_by_text("Child 1").wait_for()
    assert overrides[1] in (hover.text_content() or "")
    assert cells(opened, 2) == [override.partition("=")[2] for override in overrides]
    opened.assert_quiet()


def test_colours_follow_the_readers_preference_at_once(open_page: OpenPage, written: Written) -> None:
    path = written()
    opened = drawn(open_page(path))
    assert opened.page.evaluate(ACCEPTED) == "#14693a"
    assert opened.unreadable() == []
    opened.page.emulate_media(color_scheme="dark")
    opened.wait_until(f"{ACCEPTED} === '#7fdca3'")
    assert opened.unreadable() == []
    assert drawn(open_page(path, colours="dark")).page.evaluate(ACCEPTED) == "#7fdca3"


def test_on_a_phone_nothing_is_wider_than_the_page(open_page: OpenPage, written: Written) -> None:
    opened = open_page(written(), window=PHONE)
    for plot in range(3):
        drawn(opened, plot)
    assert opened.overflow == 0
    assert opened.page.locator(".chart").first.bounding_box()["width"] <= PHONE[0]  # type: ignore[index]
    opened.assert_quiet()


def test_on_paper_every_plot_is_drawn_in_the_colours_of_paper(open_page: OpenPage, written: Written) -> None:
    opened = open_page(written(), colours="dark")
    opened.page.emulate_media(media="print")
    opened.wait_until(f"{ACCEPTED} === '#14693a'")
    assert [marks(opened, plot) > 4 for plot in range(3)] == [True] * 3
    assert not opened.page.locator("#filters").is_visible()
    assert opened.page.locator("#rows tbody tr").count() == 7
    assert opened.unreadable() == []
    pdf = opened.pdf()
    assert 1 <= pdf.count(b"/Type /Page\n") <= 4


def test_without_scripts_what_needs_them_is_hidden(open_page: OpenPage, written: Written) -> None:
    opened = open_page(written(many(250)), scripts=False)
    assert not any(opened.page.locator(it).first.is_visible() for it in ("#filters", ".axes", ".chart", "#pages"))
    assert opened.page.locator("#rows tbody tr").count() == 200
    assert opened.page.locator("#shown a").get_attribute("href") == "summary.csv"
    assert opened.page.locator("#rows thead button").count() == 0


def test_ten_thousand_children_are_as_handy_as_ten(open_page: OpenPage, written: Written) -> None:
    path = written(many(10_000))
    assert path.stat().st_size < 9_000_000
    opened = open_page(path)
    page = opened.page
    seconds = page.evaluate("performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd") / 1000
    assert seconds < 5
    assert page.inner_text("#shown") == "Shown: 1 to 100 of 10,000"
    page.get_by_role("button", name="Next").click()
    assert (page.inner_text("#shown"), cells(opened, 1)[0]) == ("Shown: 101 to 200 of 10,000", "100")
    spent = page.evaluate(
        """() => {
            const started = performance.now();
            document.querySelectorAll("#rows thead button")[5].click();
            const words = document.querySelector("#words");
            words.value = "int8 rejected";
            words.dispatchEvent(new Event("input", { bubbles: true }));
            return performance.now() - started;
        }"""
    )
    assert spent < 2000
    assert page.inner_text("#shown") == "Shown: 1 to 100 of 571 (of 10,000)"
    page.fill("#words", "")
    drawn(opened)
    assert marks(opened) < 4000
    assert page.locator(".pointed").first.inner_text().endswith("marks stand for 9,000 children.")
    opened.assert_quiet()
