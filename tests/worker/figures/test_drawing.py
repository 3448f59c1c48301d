from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from xml.etree import ElementTree

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from recipekit.worker.figures import charts

POINTS = [(at / 150 - 1, (at * 7 % 300) / 150 - 1) for at in range(301)]
EDGES = [at / 10 for at in range(-16, 17)]

CHARTS: dict[str, Callable[[str], str]] = {
    "scatter": lambda label: charts.scatter(POINTS, label),
    "two points": lambda label: charts.scatter(POINTS[:2], label),
    "equal points": lambda label: charts.scatter([(1.0, 1.0)] * 3, label),
    "errors": lambda label: charts.error_bars(EDGES, list(range(32)), label),
    "one bin": lambda label: charts.error_bars([0.0, 1e-9], [5], label),
    "tensors": lambda label: charts.tensor_errors([20.0, None, -3.5, 31.25], [2], label),
    "sizes": lambda label: charts.sizes_in_order([0, 1024, 12], label),
    "latencies": lambda label: charts.latencies(EDGES, list(range(32)), list(range(32, 0, -1)), label),
}


@pytest.mark.parametrize("chart", CHARTS)
def test_a_drawing_is_one_small_element_with_its_finding_for_those_who_do_not_see_it(chart: str) -> None:
    svg = CHARTS[chart]('a "finding" & <more>')
    root = ElementTree.fromstring(svg)
    assert (root.tag, root.get("role"), root.get("aria-label")) == ("svg", "img", 'a "finding" & <more>')
    assert len(svg) < 12_000
    assert "nan" not in svg.lower()


@pytest.mark.parametrize("chart", CHARTS)
def test_a_drawing_has_no_ids_no_styles_and_asks_for_nothing(chart: str) -> None:
    svg = CHARTS[chart]("label")
    assert (
        re.search(r"""\b(id|class|style|href|clip-path)=(?!"plot")|<(style|script|image|a|use)\b|url\(|https?:""", svg)
        is None
    )


@pytest.mark.parametrize("chart", CHARTS)
def test_every_colour_is_one_of_the_page(chart: str) -> None:
    svg = CHARTS[chart]("label")
    colours = set(re.findall(r'(?:fill|stroke)="([^"]+)"', svg)) - {"none"}
    assert colours
    assert colours <= {f"var(--{name})" for name in ("line", "text", "quiet", "float", "converted", "bad")}


@pytest.mark.parametrize("chart", CHARTS)
def test_the_same_numbers_give_the_same_drawing(chart: str) -> None:
    assert CHARTS[chart]("label") == CHARTS[chart]("label")


def test_dots_of_one_colour_are_one_path() -> None:
    svg = charts.scatter(POINTS, "label")
    assert svg.count("h0") == 301
    assert "<circle" not in svg


@given(low=st.floats(0, 1e4), span=st.floats(1e-3, 1e4))
@example(low=2.2, span=0.001)
def test_an_axis_of_times_has_one_to_five_round_numbers_within_it(low: float, span: float) -> None:
    ticks = charts.round_numbers(low, low + span)
    assert 1 <= len(ticks) <= 5
    assert low - span / 100 <= ticks[0] <= ticks[-1] <= low + span * 1.01
    assert all(b - a == pytest.approx(ticks[1] - ticks[0], rel=1e-3) for a, b in itertools.pairwise(ticks))


def test_round_numbers_are_ones_twos_and_fives_of_a_power_of_ten() -> None:
    assert charts.round_numbers(0.0048, 0.00528) == [0.0048, 0.0049, 0.005, 0.0051, 0.0052]
    assert charts.round_numbers(3.1, 17.0) == [5, 10, 15]
    assert charts.round_numbers(0.0, 100.0) == [0, 50, 100]
