"""What is measured, timed and drawn of a candidate, once it is there.

Figures only help to read a report. When one of their stages fails, the build goes on and the report says what is
missing.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec
from msgspec import UNSET

from recipekit.acceptance import Verdict
from recipekit.artifacts import Artifacts
from recipekit.contracts import Flatbuffer, Illustrations, LoadedModel, Measurement
from recipekit.errors import EvaluationError, RecipekitError
from recipekit.execution import Execution, Watcher
from recipekit.graph import Drawing, Graph, Node
from recipekit.recipe import Recipe


class Measured(NamedTuple):
    """What is known of a candidate.

    Attributes:
        measurement: what is judged.
        artifacts: what there is to write beside the candidate.
        figures: the drawings on disk; None where they failed.
        missing: what is missing in the report because a stage failed, a sentence each.
    """

    measurement: Measurement
    artifacts: Artifacts
    figures: Illustrations | None = None
    missing: tuple[str, ...] = ()


def measure(
    graph: Graph,
    execution: Execution,
    watcher: Watcher,
    recipe: Recipe,
    loaded: LoadedModel,
    conversions: tuple[Flatbuffer, Flatbuffer],
) -> Measured:
    """Demands the stages that run the candidate and make files of it, then those that draw.

    Args:
        graph: the stages.
        execution: runs or finds them.
        watcher: is told of figures that fail.
        recipe: what is built.
        loaded: the float model.
        conversions: the candidate and the float32 conversion.

    Raises:
        RecipekitError: the candidate can't be measured.
    """
    node = graph.measure(loaded.signatures, *conversions)
    measurement: Measurement
    measurement, *records = execution.demand(node, *graph.artifacts.of(loaded.signatures, conversions[0]))
    artifacts = graph.artifacts.made(records)
    spec, benchmark = recipe.evaluation.benchmark, None
    if graph.evaluation is not None and spec is not None and measurement.samples is not None:
        benchmark = graph.evaluation.benchmark(loaded.signatures, *conversions, spec)
        (latencies,) = execution.demand(benchmark)
        measurement = measurement.timed(latencies, latencies.signatures)
    drawing = graph.drawing(loaded.signatures, *conversions)
    figures, missing = _draw(drawing, execution, drawing.probe(measurement.samples), (node, benchmark))
    for text in missing:
        watcher.warning(f"the report lacks {text}")
    execution.account(node)
    measurement = artifacts.reported(_located(msgspec.structs.replace(measurement, figures=UNSET), conversions[0]))
    return Measured(measurement, artifacts, figures, missing)


def _located(measurement: Measurement, candidate: Flatbuffer) -> Measurement:
    """The same with the places of float operators in its census, which the conversion knew."""
    if not candidate.float_places:
        return measurement
    census = msgspec.structs.replace(measurement.census, float_places=candidate.float_places)
    return msgspec.structs.replace(measurement, census=census)


def _draw(
    drawing: Drawing, execution: Execution, probe: Node, measured: tuple[Node, Node | None]
) -> tuple[Illustrations | None, tuple[str, ...]]:
    """The drawings, and what is missing of them."""
    missing = []
    probed: Node | None = probe
    try:
        execution.demand(probe)
    except RecipekitError as error:
        missing.append(f"errors and size by layer: {error.what}")
        probed = None
    try:
        (figures,) = execution.demand(drawing.illustrate(*measured, probed))
    except RecipekitError as error:
        return None, (*missing, f"all figures: {error.what}")
    return figures, tuple(missing)


def require_run(measurement: Measurement, verdict: Verdict) -> None:
    """Refuses to go on without what the recipe wants measured, unless what is known rejects the model already.

    Raises:
        EvaluationError: the model was not run.
    """
    if measurement.samples is None and verdict.status != "rejected":
        raise EvaluationError(
            f"the converted model can't be measured here: {measurement.not_run}",
            where="evaluation.runtime",
            fix="replace the operators (docs/operators.md), or set `evaluation.runtime: none` and leave out bounds on"
            " parity, task and latency: size and file are then judged, and nothing else",
        )
