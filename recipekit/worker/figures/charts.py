"""The plots of a report, each from plain numbers to an SVG element. What they mean is said by who asks for them."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

from lets_plot import (
    aes,
    geom_abline,
    geom_area,
    geom_bar,
    geom_line,
    geom_point,
    geom_vline,
    ggplot,
    labs,
    scale_color_identity,
    scale_color_manual,
    scale_fill_manual,
    scale_x_continuous,
    scale_y_continuous,
)

from recipekit.worker.figures.drawing import CONVERTED, ERROR, FLOAT, QUIET, drawn

_WIDE = 700
"""CSS pixels of drawings that take the width of the page: of all operators of a model, of all runs."""

_MOST_TICKS = 5

_MODELS = {"Float32": FLOAT, "Converted": CONVERTED}


def scatter(points: Sequence[tuple[float, float]], label: str) -> str:
    """Values of both models against each other; the last point is the one that differs most."""
    float_values, converted = zip(*points, strict=True)
    plot = (
        ggplot({"float": float_values[:-1], "converted": converted[:-1]}, aes("float", "converted"))
        + geom_abline(slope=1, intercept=0, color=QUIET, size=0.6)
        + geom_point(color=CONVERTED, size=2.2, alpha=0.5)
        + geom_point(data={"float": float_values[-1:], "converted": converted[-1:]}, color=ERROR, size=3.5)
        + labs(x="Float model", y="Converted model")
    )
    return drawn(plot, label)


def error_bars(edges: Sequence[float], counts: Sequence[int], label: str) -> str:
    """Counts of errors in bins; `edges` are one more than `counts`. Heights grow with the root of the count."""
    middles = [(low + high) / 2 for low, high in itertools.pairwise(edges)]
    plot = (
        ggplot({"error": middles, "count": list(counts)}, aes("error", "count"))
        + geom_bar(stat="identity", fill=CONVERTED, color=CONVERTED, size=0, width=0.9)
        + geom_vline(xintercept=0, color=QUIET, size=0.6)
        + scale_y_continuous(trans="sqrt")
        + labs(x="Converted minus float", y="Values (root scale)")
    )
    return drawn(plot, label)


def tensor_errors(ratios: Sequence[float | None], worst: Sequence[int], label: str) -> str:
    """Signal-to-error ratios in the order of execution, those at the places `worst` marked; None leaves a gap."""
    places = [place for place, ratio in enumerate(ratios, 1) if ratio is not None]
    values = [ratio for ratio in ratios if ratio is not None]
    marked = [ERROR if place - 1 in worst else CONVERTED for place in places]
    plot = (
        ggplot({"place": places, "ratio": values, "colour": marked}, aes("place", "ratio"))
        + geom_line(color=QUIET, size=0.6)
        + geom_point(aes(color="colour"), size=2.6)
        + scale_color_identity()
        + labs(x="Operator, in the order of execution", y="SQNR, dB")
    )
    return drawn(plot, label, width=_WIDE)


def sizes_in_order(sizes: Sequence[int], label: str) -> str:
    """Bytes of each operator's constants in the order of execution."""
    plot = (
        ggplot({"place": list(range(1, len(sizes) + 1)), "kib": [size / 1024 for size in sizes]}, aes("place", "kib"))
        + geom_bar(stat="identity", fill=CONVERTED, color=CONVERTED, size=0, width=0.8)
        + labs(x="Operator, in the order of execution", y="Constants, KiB")
    )
    return drawn(plot, label, width=_WIDE)


def latencies(edges: Sequence[float], float32: Sequence[int], converted: Sequence[int], label: str) -> str:
    """How many runs of both models took how long; counts of equal bins between `edges`."""
    columns: dict[str, list[Any]] = {"ms": [], "runs": [], "model": []}
    for model, counts in zip(_MODELS, (float32, converted), strict=True):
        for low, high, count in zip(edges, edges[1:], counts, strict=False):
            columns["ms"] += [low, high]
            columns["runs"] += [count, count]
            columns["model"] += [model, model]
    plot = (
        ggplot(columns, aes("ms", "runs", color="model", fill="model"))
        + geom_area(stat="identity", position="identity", alpha=0.25, size=1)
        + scale_color_manual(values=list(_MODELS.values()), breaks=list(_MODELS))
        + scale_fill_manual(values=list(_MODELS.values()), breaks=list(_MODELS))
        + scale_x_continuous(breaks=round_numbers(edges[0], edges[-1]))
        + labs(x="Milliseconds", y="Runs")
    )
    return drawn(plot, label, width=_WIDE)


def round_numbers(low: float, high: float) -> list[float]:
    """At most five round numbers in a range, equally far apart; more would touch each other on a phone."""
    power = 10.0 ** math.floor(math.log10((high - low) / _MOST_TICKS))
    for step in (power, 2 * power, 5 * power, 10 * power, 20 * power):
        multiples = range(math.ceil(low / step), math.floor(high / step) + 1)
        if (high - low) / step < _MOST_TICKS and len(multiples) <= _MOST_TICKS:  # both ends of the range may be some
            break
    digits = max(0, -math.floor(math.log10(step)))
    return [round(at * step, digits) for at in multiples]
