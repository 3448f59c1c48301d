"""The page of a run as readers see it: light, dark, on a phone, on paper, by keyboard."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest

from recipekit.contracts import Figure
from recipekit.report import render_run
from recipekit.worker.figures import charts
from tests.browser import DESKTOP, PHONE, Opened, OpenPage
from tests.report.test_page import FIGURES, LAYERS, drawn, making, run_results

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page with everything that a page can have, and long names."""
    folder = tmp_path_factory.mktemp("report")
    chart = charts.scatter([(at / 9, at / 8) for at in range(30)], "both models agree")
    named = [
        *FIGURES,
        Figure(section="outputs", title=f"Output '{'x' * 90}'", finding="It is " * 30, drawing=chart),
    ]
    results = {**run_results(), "layers": LAYERS, "warnings": ["few samples"]}
    page = render_run(results, "name: digits_int8\n" + "key: " + "v" * 300, making(), drawn(folder, *named), ("why",))
    path = folder / "report.html"
    path.write_text(page, encoding="utf-8")
    return path


@pytest.mark.parametrize("window", [DESKTOP, PHONE])
@pytest.mark.parametrize("colours", ["light", "dark"])
def test_every_text_can_be_read_and_nothing_is_asked_for(
    open_page: OpenPage, report: Path, colours: Literal["light", "dark"], window: tuple[int, int]
) -> None:
    opened = open_page(report, colours=colours, window=window)
    opened.page.evaluate("document.querySelectorAll('details').forEach((part) => (part.open = true))")
    assert opened.unreadable() == []
    assert opened.overflow <= 0
    opened.assert_quiet()


def test_the_verdict_stays_in_sight(open_page: OpenPage, report: Path) -> None:
    opened = open_page(report, window=PHONE)
    opened.page.evaluate("window.scrollTo({top: document.body.scrollHeight, behavior: 'instant'})")
    box = opened.page.locator("nav strong").bounding_box()
    assert box is not None
    assert 0 <= box["y"] < 40


def settled(opened: Opened, condition: str) -> bool:
    """Whether a condition becomes true within three seconds, once the page has scrolled as smoothly as it does.

    The page's own policy forbids what Playwright's waiting for a function does.
    """
    for _ in range(30):
        if opened.page.evaluate(condition):
            return True
        opened.page.wait_for_timeout(100)
    return False


def rest(opened: Opened) -> None:
    """Waits until the page scrolls no more: one scroll that is still under way can take the next one's place."""
    before = -1
    while (now := opened.page.evaluate("scrollY")) != before:
        before = now
        opened.page.wait_for_timeout(200)


def test_the_keyboard_reaches_every_part(open_page: OpenPage, report: Path) -> None:
    opened = open_page(report)
    reached = []
    for _ in range(60):
        opened.page.keyboard.press("Tab")
        reached.append(opened.page.evaluate("document.activeElement.outerHTML.slice(0, 60)"))
    assert 'class="skip"' in reached[0]
    wanted = opened.page.locator("a, summary, .scroll >> visible=true").count()
    assert len(set(reached)) >= min(wanted, 20)
    opened.page.locator("nav a", has_text="Size and latency").focus()
    rest(opened)
    opened.page.keyboard.press("Enter")
    assert settled(opened, "document.querySelector('#cost').getBoundingClientRect().top < innerHeight / 2")
    opened.page.locator("summary").first.focus()
    opened.page.keyboard.press("Enter")
    assert opened.page.locator("details").first.get_attribute("open") is not None


def test_a_reader_who_sees_nothing_is_told_the_parts_and_the_findings(open_page: OpenPage, report: Path) -> None:
    opened = open_page(report)
    for heading in ("Checks", "Parity with the float model", "Task metrics", "How it was made"):
        assert opened.page.get_by_role("heading", name=heading).count() == 1
    assert opened.page.get_by_role("navigation", name="Parts of the report").count() == 1
    assert opened.page.get_by_role("main").count() == 1
    assert opened.page.get_by_role("img", name="both models agree").count() == 1
    assert opened.page.get_by_role("img", name="Input 'image'").count() == 1


def test_it_prints_with_what_is_folded_away(open_page: OpenPage, report: Path) -> None:
    opened = open_page(report, colours="dark")
    printed = opened.pdf()
    assert printed.startswith(b"%PDF")
    opened.page.emulate_media(media="print")
    assert opened.page.locator("nav").is_hidden()
    height = opened.page.locator("details pre").bounding_box()
    assert height is not None
    assert height["height"] > 0
    assert opened.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"


@pytest.mark.parametrize("window", [DESKTOP, PHONE])
def test_a_drawing_fills_its_figure_with_text_of_one_size(
    open_page: OpenPage, tmp_path: Path, window: tuple[int, int]
) -> None:
    edges, counts = [at / 1000 for at in range(25)], list(range(24))
    charted = {
        "a": ("outputs", charts.scatter([(at / 9, at / 8) for at in range(30)], "a")),
        "b": ("outputs", charts.error_bars(edges, counts, "b")),
        "c": ("latency", charts.latencies(edges, counts, counts[::-1], "c")),
        "d": ("size", charts.sizes_in_order([1000 * at for at in counts], "d")),
        "e": ("layers", charts.tensor_errors([float(at) for at in counts], [2], "e")),
    }
    figures = (Figure(section=part, title=title, finding=title, drawing=it) for title, (part, it) in charted.items())
    path = tmp_path / "report.html"
    path.write_text(render_run(run_results(), "seed: 0", making(), drawn(tmp_path, *figures), ()), encoding="utf-8")
    opened = open_page(path, window=window)
    drawings = opened.page.evaluate(
        """Array.from(document.querySelectorAll('figure > .plot')).map((plot) => {
          const width = plot.getBoundingClientRect().width;
          const size = parseFloat(getComputedStyle(plot.querySelector('text')).fontSize);
          return [width / (plot.parentElement.clientWidth - 24), size * width / plot.viewBox.baseVal.width];
        })"""
    )
    assert len(drawings) == len(charted)
    assert all(filled == pytest.approx(1, abs=0.02) for filled, _ in drawings)
    assert all(7 <= size <= 15 for _, size in drawings)
    assert opened.overflow <= 0
