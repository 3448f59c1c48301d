"""Figures of an evaluation: both models' outputs against each other, errors, classes, and the worst samples."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Sequence

from recipekit.contracts import Figure
from recipekit.contracts.figures import (
    ClassCounts,
    ErrorHistogram,
    OutputFigures,
    Picture,
    SampleInput,
    Table,
    WorstSample,
)
from recipekit.worker.figures.charts import error_bars, scatter

_MOST_CLASSES = 20
"""Of more classes the confused pairs alone are listed."""

_MOST_PAIRS = 12
_HEAT = 9


def outputs_of(figures: OutputFigures) -> Iterator[Figure]:
    """Both models' values against each other, and the errors."""
    if figures.points:
        yield _scatter(figures)
    if figures.histogram is not None:
        yield _histogram(figures, figures.histogram)


def _scatter(figures: OutputFigures) -> Figure:
    float_value, converted = figures.points[-1]
    shown = "every value is drawn" if figures.values < len(figures.points) else "a draw from all of them"
    finding = (
        f"{len(figures.points) - 1:,} of {figures.values:,} values ({shown}); on the line both models agree. The"
        f" largest error is {number(abs(converted - float_value))}: the float model gives {number(float_value)}, the"
        f" converted one {number(converted)}."
    )
    title = f"Output '{figures.output}': converted against float"
    lows, highs = ([pick(values) for values in zip(*figures.points, strict=True)] for pick in (min, max))
    table = Table(
        caption="Where the drawn values lie",
        columns=("Model", "Lowest#", "Highest#"),
        rows=(
            ("Float", number(lows[0]), number(highs[0])),
            ("Converted", number(lows[1]), number(highs[1])),
        ),
    )
    drawing = scatter(figures.points, f"{title}. {finding}")
    return Figure(section="outputs", title=title, finding=finding, drawing=drawing, table=table)


def _histogram(figures: OutputFigures, histogram: ErrorHistogram) -> Figure:
    title = f"Output '{figures.output}': errors"
    if histogram.limit == 0:
        finding = f"All {figures.values:,} values are the same in both models."
        return Figure(section="outputs", title=title, finding=finding)
    edges, counts = trimmed(histogram)
    most = max(range(len(counts)), key=counts.__getitem__)
    above = sum(counts[at] for at in range(len(counts)) if edges[at] >= 0)
    finding = (
        f"Errors of {figures.values:,} values, converted minus float. {share(counts[most], figures.values)} lie between"
        f" {number(edges[most])} and {number(edges[most + 1])}, {share(above, figures.values)} at zero or above."
    )
    rows = tuple(
        (f"{number(low)} to {number(high)}", f"{count:,}")
        for (low, high), count in zip(itertools.pairwise(edges), counts, strict=True)
        if count
    )
    table = Table(caption="Values by error", columns=("Error#", "Values#"), rows=rows)
    drawing = error_bars(edges, counts, f"{title}. {finding}")
    return Figure(section="outputs", title=title, finding=finding, drawing=drawing, table=table)


def trimmed(histogram: ErrorHistogram) -> tuple[list[float], list[int]]:
    """Edges and counts without the empty bins at both ends; one edge more than counts."""
    width = 2 * histogram.limit / len(histogram.counts)
    filled = [at for at, count in enumerate(histogram.counts) if count]
    first, last = filled[0], filled[-1]
    edges = [at * width - histogram.limit for at in range(first, last + 2)]
    return edges, list(histogram.counts[first : last + 1])


def classes_of(output: str, classes: ClassCounts) -> Iterator[Figure]:
    """Which classes each model takes for which."""
    models = {"float": classes.float_counts, "converted": classes.converted_counts}
    for model, counts in models.items():
        right = sum(count for label, predicted, count in counts if label == predicted)
        total = sum(count for _, _, count in counts)
        finding = f"{right:,} of {total:,} samples right ({share(right, total)}). {_most_confused(counts)}"
        title = f"Confusion matrix of the {model} model, output '{output}'"
        table = _matrix(title, classes.classes, counts) if classes.classes <= _MOST_CLASSES else _pairs(title, counts)
        yield Figure(section="classes", title=title, finding=finding, table=table, is_table=True)


def _most_confused(counts: Sequence[tuple[int, int, int]]) -> str:
    wrong = [(count, -label, -predicted) for label, predicted, count in counts if label != predicted]
    if not wrong:
        return "No class is taken for another."
    count, label, predicted = max(wrong)
    return f"Most often confused: {-label} taken for {-predicted} ({count:,} {'sample' if count == 1 else 'samples'})."


def _matrix(title: str, classes: int, counts: Sequence[tuple[int, int, int]]) -> Table:
    cells = {(label, predicted): count for label, predicted, count in counts}
    totals = Counter[int]()
    for label, _, count in counts:
        totals[label] += count
    rows, heat = [], []
    for label in range(classes):
        of_label = [cells.get((label, predicted), 0) for predicted in range(classes)]
        rows.append((str(label), *(f"{count:,}" if count else "·" for count in of_label)))
        heat.append(tuple(-(-count * _HEAT // max(1, totals[label])) for count in of_label))
    columns = ("Label", *(f"{predicted}#" for predicted in range(classes)))
    return Table(
        caption=f"{title}: a row for each label, a column for each prediction",
        columns=columns,
        rows=tuple(rows),
        heat=tuple(heat),
    )


def _pairs(title: str, counts: Sequence[tuple[int, int, int]]) -> Table:
    wrong = sorted((-count, label, predicted) for label, predicted, count in counts if label != predicted)
    rows = tuple((str(label), str(predicted), f"{-count:,}") for count, label, predicted in wrong[:_MOST_PAIRS])
    return Table(
        caption=f"{title}: the classes that are confused most often",
        columns=("Label", "Taken for", "Times#"),
        rows=rows,
    )


def worst_of(figures: OutputFigures) -> Iterator[Figure]:
    """The samples that differ most, as pictures where they are some."""
    if not figures.worst:
        return
    first = figures.worst[0]
    finding = (
        f"The {len(figures.worst)} samples on which both models' outputs lie farthest apart, measured by the Euclidean"
        f" norm of the difference; for the first one, '{first.id}', it is {number(first.distance)}. Values read float →"
        " converted, those that differ most; 'highest' is the place of the largest one."
    )
    yield Figure(
        section="worst",
        title=f"Worst samples of output '{figures.output}'",
        finding=finding,
        pictures=tuple(map(_picture, figures.worst)),
    )


def _picture(worst: WorstSample) -> Picture:
    facts = [("Distance", number(worst.distance))]
    if worst.label:
        facts.append(("Label", worst.label))
    if worst.highest is not None:
        facts.append(("Highest", "{} → {}".format(*worst.highest)))
    for place, float_value, converted in worst.differences:
        name = f"Value {place}" if worst.values > 1 else "Value"
        facts.append((name, f"{number(float_value)} → {number(converted)}"))
    facts += [(one.name or "Input", _described(one)) for one in worst.inputs if not one.picture]
    images = tuple((one.picture, f"Input '{one.name}' of sample '{worst.id}'") for one in worst.inputs if one.picture)
    return Picture(title=f"{worst.id} (sample {worst.index})", images=images, facts=tuple(facts))


def _described(one: SampleInput) -> str:
    shape = " x ".join(map(str, one.shape)) or "single value"
    between = "" if one.lowest is None or one.highest is None else f", {number(one.lowest)} to {number(one.highest)}"
    return f"{one.dtype}, {shape}{between}"


def number(value: float) -> str:
    """Four significant digits."""
    return f"{value:.4g}"


def share(part: int, whole: int) -> str:
    """A part of a whole in per cent; never 100 % of less than all."""
    if part == whole:
        return "100 %"
    return f"{min(99.9, max(0.1, 100 * part / whole)):.1f} %" if part else "none"
