"""The measure stage: the candidate runs on the evaluation samples and is compared with the float model.

It judges nothing; what is good enough is the gate's question.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from recipekit.contracts import Census, Measurement, MeasureRequest
from recipekit.errors import EvaluationError
from recipekit.samples import require_same_samples
from recipekit.worker import census
from recipekit.worker.build_key_place import published_size
from recipekit.worker.comparison import Comparison
from recipekit.worker.interpreter import Runner
from recipekit.worker.samples import Reading, open_samples
from recipekit.worker.scoring import Resampling, open_metrics, score, stack_labels
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
        runner = Runner(candidate)
    except EvaluationError:
        if taken.select_tf_ops or taken.custom_ops:
            return unrun(request.candidate, request.float32, _lacking(taken))
        raise
    _require_names("inputs", runner.inputs, [tensor.name for tensor in request.signature.inputs])
    _require_names("outputs", runner.outputs, list(request.reference.outputs))
    reading = open_samples(request.dataset, request.signature, folder)
    metrics = open_metrics(request.metrics, Path(request.dataset.project_root))
    comparison = Comparison(request.reference, keep=bool(metrics))
    seen = _run_all(reading, runner, comparison, labelled=bool(metrics))
    parity = comparison.parity()
    samples = reading.sample_set()
    require_same_samples(request.reference.samples, samples, "evaluation.dataset")
    task = {}
    if metrics:
        labels = stack_labels(seen.labels, seen.ids)
        models = (comparison.reference, comparison.converted())
        resampling = Resampling(request.replicates, request.seed)
        task = {name: score(name, metric, labels, models, resampling) for name, metric in metrics.items()}
    return Measurement(
        samples=samples,
        parity=parity,
        task=task,
        size=candidate.stat().st_size,
        float32_size=published_size(Path(request.float32)),
        census=taken,
    )


def _lacking(taken: Census) -> str:
    """Which operators keep LiteRT from running a file."""
    kinds = {"operators of TensorFlow": taken.select_tf_ops, "custom operators": taken.custom_ops}
    found = [f"{kind}: {', '.join(names)}" for kind, names in kinds.items() if names]
    return f"LiteRT lacks {' and '.join(found)}"


@dataclass
class _Seen:
    """What metrics need of the samples."""

    ids: list[str] = field(default_factory=list)
    labels: list[Any] = field(default_factory=list)


def _run_all(reading: Reading, runner: Runner, comparison: Comparison, labelled: bool) -> _Seen:
    seen = _Seen()
    for sample in reading:
        comparison.add(runner.run(sample.tensors))
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
