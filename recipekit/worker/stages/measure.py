"""The stage `measure`: the candidate runs on the evaluation samples and is compared with the float model.

It judges nothing; what is good enough is the gate's question.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from recipekit.contracts import (
    Census,
    EvaluationFigures,
    Measurement,
    MeasureRequest,
    Metric,
    Parity,
    TaskScore,
    qualified,
)
from recipekit.contracts.figures import OutputFigures
from recipekit.errors import EvaluationError
from recipekit.same_samples import require_same_samples
from recipekit.worker import census
from recipekit.worker.build_key_place import published_size
from recipekit.worker.comparison import Comparison
from recipekit.worker.figures.collector import FigureCollector
from recipekit.worker.interpreter import Runner, open_runners
from recipekit.worker.progress import Counted
from recipekit.worker.samples import Reading
from recipekit.worker.scoring import Resampling, open_metrics, score, stack_labels
from recipekit.worker.signature_samples import open_readings
from recipekit.worker.stages.examine import unrun


def run(request: MeasureRequest, folder: Path) -> Measurement:
    """Measures a candidate; the samples it saw are recorded in `folder/samples.jsonl`.

    A candidate with operators that LiteRT lacks is not run, and the measurement says so.

    Raises:
        EvaluationError: the candidate can't be read or run, though it has no such operators, its names differ from the
            float model's, or its outputs or scores aren't finite.
        DatasetError: the samples aren't those of the reference, or lack labels that a metric needs.
        PluginError: code of a dataset or metric failed.
    """
    candidate = Path(request.candidate)
    taken = census.take(candidate)
    try:
        runners = open_runners(candidate, list(request.signatures))
    except EvaluationError:
        if taken.select_tf_ops or taken.custom_ops:
            return unrun(request.candidate, request.float32, _lacking(taken))
        raise
    for key, signature in request.signatures.items():
        _require_names("inputs", runners[key].inputs, [tensor.name for tensor in signature.inputs])
        _require_names("outputs", runners[key].outputs, list(request.reference.of(key).outputs))
    readings = open_readings(request.dataset, request.signatures, folder)
    parity: dict[str, Parity] = {}
    task: dict[str, TaskScore] = {}
    outputs: list[OutputFigures] = []
    omitted = 0
    for key, reading in readings.parts.items():
        prefix = qualified(key, "") if len(readings.parts) > 1 else ""
        metrics = _Metrics.of(request, prefix)
        comparison = Comparison(request.reference.of(key), keep=bool(metrics.opened))
        figures = FigureCollector(comparison.expected, metrics.declared)
        measured, scores = _compare(reading, runners[key], comparison, figures, metrics)
        outputs += [msgspec.structs.replace(one, output=f"{prefix}{one.output}") for one in figures.result()]
        omitted += figures.omitted
        parity |= {f"{prefix}{output}": values for output, values in measured.items()}
        task |= {f"{prefix}{metric}": values for metric, values in scores.items()}
    samples = readings.sample_set()
    require_same_samples(request.reference.samples, samples, "evaluation.dataset")
    drawn = folder / "figures.json"
    drawn.write_bytes(msgspec.json.encode(EvaluationFigures(outputs=tuple(outputs), omitted=omitted)))
    return Measurement(
        samples=samples,
        parity=parity,
        task=task,
        size=candidate.stat().st_size,
        float32_size=published_size(Path(request.float32)),
        census=taken,
        figures=str(drawn),
    )


def _lacking(taken: Census) -> str:
    """Which operators keep LiteRT from running a file."""
    kinds = {"operators of TensorFlow": taken.select_tf_ops, "custom operators": taken.custom_ops}
    found = [f"{kind}: {', '.join(names)}" for kind, names in kinds.items() if names]
    return f"LiteRT lacks {' and '.join(found)}"


class _Metrics(NamedTuple):
    """The task metrics of one signature, the outputs that they name, and how their intervals are drawn."""

    declared: Mapping[str, Mapping[str, Any]]
    opened: Mapping[str, Metric]
    outputs: Mapping[str, str | None]
    resampling: Resampling

    @classmethod
    def of(cls, request: MeasureRequest, prefix: str) -> _Metrics:
        """Those whose names begin with `prefix`, which is left out of them."""
        its = {name.removeprefix(prefix): given for name, given in request.metrics.items() if name.startswith(prefix)}
        opened = open_metrics(its, Path(request.dataset.project_root))
        outputs = {name: parameters.get("output") for name, parameters in its.items()}
        return cls(its, opened, outputs, Resampling(request.replicates, request.seed))


def _compare(
    reading: Reading, runner: Runner, comparison: Comparison, figures: FigureCollector, metrics: _Metrics
) -> tuple[dict[str, Parity], dict[str, TaskScore]]:
    """Parity by output and scores by metric of one signature."""
    labelled = bool(metrics.opened)
    seen = _run_all(reading, runner, comparison, figures, labelled)
    parity = comparison.parity()
    if not labelled:
        return parity, {}
    models = (comparison.reference, comparison.converted())
    scores = {}
    for name, metric in metrics.opened.items():
        labels = stack_labels(seen.labels, seen.ids, metrics.outputs[name])
        scores[name] = score(name, metric, labels, models, metrics.resampling)
    return parity, scores


@dataclass
class _Seen:
    """What metrics need of the samples."""

    ids: list[str] = field(default_factory=list)
    labels: list[Any] = field(default_factory=list)


def _run_all(
    reading: Reading, runner: Runner, comparison: Comparison, figures: FigureCollector, labelled: bool
) -> _Seen:
    seen = _Seen()
    for sample in Counted(reading, reading.count, "samples"):
        outputs = runner.run(sample.tensors)
        comparison.add(outputs)
        figures.add(sample, outputs)
        if labelled:
            seen.ids.append(sample.id)
            seen.labels.append(sample.label)
    return seen


def _require_names(kind: str, candidate: Sequence[str], expected: Sequence[str]) -> None:
    if set(candidate) != set(expected):
        raise EvaluationError(
            f"the converted model's {kind} are {_listed(candidate)}, the float model's {_listed(expected)}",
            fix="convert by a signature, so that names survive",
        )


def _listed(names: Sequence[str]) -> str:
    return ", ".join(sorted(names))
