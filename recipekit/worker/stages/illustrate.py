"""The stage `illustrate`: the figures of a report, drawn once for all builds whose candidates have the same bytes.

A figure that can't be drawn doesn't keep others from it; the report says what is missing and why.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from recipekit import digests
from recipekit.contracts import EvaluationFigures, Figure, IllustrateRequest, Illustrations
from recipekit.contracts.figures import OutputFigures
from recipekit.worker.figures.conversion import layer_errors, sizes, timing
from recipekit.worker.figures.evaluation import classes_of, outputs_of, worst_of


def run(request: IllustrateRequest, folder: Path) -> Illustrations:
    """Draws what there is to draw, into `folder/figures.json`."""
    figures = tuple(_figures(request))
    content = msgspec.json.encode(figures)
    path = folder / "figures.json"
    path.write_bytes(content)
    return Illustrations(path=str(path), sha256=digests.of_bytes(content), count=len(figures))


def _figures(request: IllustrateRequest) -> Iterator[Figure]:
    if request.evaluation:
        yield from _guarded("outputs", "The outputs", lambda: _evaluation(Path(request.evaluation)))
    if request.probe is not None:
        probe = request.probe
        yield from _guarded("layers", "Errors along the model", lambda: layer_errors(probe))
        if probe.not_compared:
            yield Figure(section="layers", title="Errors along the model", finding="", failure=probe.not_compared)
        yield from _guarded("size", "Size by layer", lambda: sizes(probe))
    if request.runs is not None:
        runs = request.runs
        yield from _guarded("latency", "Latency of single runs", lambda: timing(runs))


def _evaluation(path: Path) -> Iterator[Figure]:
    evaluation = msgspec.json.decode(path.read_bytes(), type=EvaluationFigures)
    for output in evaluation.outputs:
        if output.failure:
            yield Figure(section="outputs", title=f"Output '{output.output}'", finding="", failure=output.failure)
        else:
            yield from _output(output)
    if evaluation.omitted:
        why = f"{evaluation.omitted} more outputs are compared in the table alone"
        yield Figure(section="outputs", title="More outputs", finding=why)


def _output(output: OutputFigures) -> Iterator[Figure]:
    title = f"Output '{output.output}'"
    yield from _guarded("outputs", title, lambda: outputs_of(output))
    classes = output.classes
    if classes is not None:
        yield from _guarded("classes", title, lambda: classes_of(output.output, classes))
    yield from _guarded("worst", title, lambda: worst_of(output))


def _guarded(section: str, title: str, draw: Callable[[], Iterator[Figure]]) -> Iterator[Figure]:
    """Figures, or what kept one from being drawn; its traceback goes to the stage's log."""
    try:
        yield from list(draw())
    except Exception as error:  # noqa: BLE001  a figure fails no build
        traceback.print_exc()
        yield Figure(section=section, title=title, finding="", failure=f"{type(error).__name__}: {error}")
