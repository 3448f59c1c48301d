"""From a lets-plot plot to an SVG element that a page can hold: small, without ids and styles, in the page's colours.

A plot is drawn with colours that stand for roles; in the SVG they become custom properties of the page's style sheet,
so that one drawing fits a light page, a dark one and paper. Text gets its font there, too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from xml.etree import ElementTree

from lets_plot import element_blank, element_line, element_rect, element_text, ggsize, theme
from lets_plot.plot.core import PlotSpec

WIDTH, HEIGHT = 340, 270
"""CSS pixels of a drawing: it fits the narrowest phone without being scaled."""

LINE, TEXT, QUIET, FLOAT, CONVERTED, ERROR = (f"#0102{number:02x}" for number in range(1, 7))
"""Colours that stand for roles: rules, text, lesser text, the float model, the converted one, what is worst."""

_PROPERTIES = {
    LINE: "--line",
    TEXT: "--text",
    QUIET: "--quiet",
    FLOAT: "--float",
    CONVERTED: "--converted",
    ERROR: "--bad",
}
_KEPT = {"svg", "g", "path", "line", "rect", "circle", "text", "tspan", "polyline", "polygon"}
_ATTRIBUTES = (
    "transform d x y x1 y1 x2 y2 cx cy r width height points dx dy fill stroke stroke-width stroke-dasharray"
    " fill-opacity stroke-opacity text-anchor"
)
_KEPT_ATTRIBUTES = frozenset(_ATTRIBUTES.split())
_NUMBER = re.compile(r"-?\d+\.\d+(?:[eE]-?\d+)?")
_DEFAULTS = {"fill-opacity": "1", "stroke-opacity": "1", "stroke": "none", "stroke-width": "0"}


def drawn(plot: PlotSpec, label: str, width: int = WIDTH, height: int = HEIGHT) -> str:
    """The SVG element of a plot.

    Args:
        plot: with the colours of this module, and no theme of its own.
        label: what a reader who doesn't see it is told.
        width: in CSS pixels.
        height: in CSS pixels.
    """
    text = (plot + _theme() + ggsize(width, height)).to_svg()
    root = _cleaned(ElementTree.fromstring(text))  # noqa: S314  lets-plot has just written it
    attributes = {"class": "plot", "viewBox": f"0 0 {width} {height}", "width": str(width), "height": str(height)}
    root.attrib = {**attributes, "role": "img", "aria-label": label}
    return ElementTree.tostring(root, encoding="unicode")


def _theme() -> PlotSpec:
    quiet = element_text(color=QUIET, size=12)
    return theme(
        plot_background=element_blank(),
        panel_background=element_blank(),
        panel_grid_major=element_line(color=LINE, size=0.6),
        panel_grid_minor=element_blank(),
        axis_line=element_line(color=QUIET, size=0.8),
        axis_ticks=element_blank(),
        axis_text=element_text(color=QUIET, size=12, margin=5),
        axis_title=quiet,
        legend_position="top",
        legend_justification=[0, 1],
        legend_title=element_blank(),
        legend_text=element_text(color=TEXT, size=12),
        legend_background=element_blank(),
        plot_margin=[2, 14, 2, 2],
        rect=element_rect(color=LINE),
    )


def _cleaned(element: ElementTree.Element) -> ElementTree.Element:
    """An element with what a page needs of it, in as few characters as it can be said in."""
    kept = ElementTree.Element(_tag(element), _attributes(element.attrib))
    kept.text = (element.text or "").strip()
    children = [_cleaned(child) for child in element if _tag(child) in _KEPT]
    kept.extend(_joined([child for child in children if _shows(child)]))
    if _tag(element) == "text" and len(kept) == 1 and not kept[0].attrib:
        kept.text, kept[:] = kept[0].text, []
    if _tag(element) == "g" and not kept.attrib and len(kept) == 1:
        return kept[0]
    return kept


def _tag(element: ElementTree.Element) -> str:
    return str(element.tag).rpartition("}")[2]


def _attributes(given: Mapping[str, str]) -> dict[str, str]:
    named = {name: _value(value) for name, value in given.items() if name in _KEPT_ATTRIBUTES}
    return {name: value for name, value in named.items() if value and _DEFAULTS.get(name) != value}


def _value(value: str) -> str:
    """A colour as the page's, or numbers to a tenth of a pixel."""
    rgb = re.fullmatch(r"rgb\((\d+),(\d+),(\d+)\)", value)
    colour = "#{:02x}{:02x}{:02x}".format(*map(int, rgb.groups())) if rgb else value
    if colour.startswith("#"):
        return f"var({_PROPERTIES[colour]})" if colour in _PROPERTIES else colour
    return _NUMBER.sub(lambda number: f"{float(number[0]):.1f}".removesuffix(".0"), value).strip()


def _shows(element: ElementTree.Element) -> bool:
    """Whether anything is to be seen of an element; lines and areas show by their colours alone."""
    if _tag(element) in {"g", "text"}:
        return len(element) > 0 or bool(element.text)
    filled = element.get("fill", "none") != "none" and element.get("fill-opacity") != "0"
    return filled or "stroke" in element.attrib or _tag(element) == "tspan"


def _joined(elements: list[ElementTree.Element]) -> Iterator[ElementTree.Element]:
    """Elements with runs of equal circles as one path of dots, and runs of equal lines as one path."""
    run: dict[tuple[tuple[str, str], ...], list[str]] = {}
    for element in elements:
        step = _step(element)
        if step is None:
            yield from _paths(run)
            run = {}
            yield element
        else:
            style, move = step
            run.setdefault(style, []).append(move)
    yield from _paths(run)


def _step(element: ElementTree.Element) -> tuple[tuple[tuple[str, str], ...], str] | None:
    """The style and the movement that a path draws an element with; None for what isn't drawn so."""
    of = element.get
    if _tag(element) == "circle":
        stroke = {"stroke": of("fill", ""), "stroke-width": f"{2 * float(of('r', '0')):.1f}", "stroke-linecap": "round"}
        opacity = {"stroke-opacity": of("fill-opacity", "")} if of("fill-opacity") else {}
        return tuple({**stroke, **opacity}.items()), f"M{of('cx')} {of('cy')}h0"
    if _tag(element) == "line":
        style = {name: value for name, value in element.attrib.items() if name.startswith("stroke")}
        return tuple(style.items()), f"M{of('x1', '0')} {of('y1', '0')}L{of('x2', '0')} {of('y2', '0')}"
    return None


def _paths(run: Mapping[tuple[tuple[str, str], ...], list[str]]) -> Iterator[ElementTree.Element]:
    for style, moves in run.items():
        yield ElementTree.Element("path", {**dict(style), "fill": "none", "d": "".join(moves)})
