"""Task metrics of both models on the same samples, with what their intervals are made of.

It knows no metric by itself: they come from the registry, and their code is the project's as often as not.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from recipekit import registry
from recipekit.contracts import Metric, PairedCounts, TaskScore, metric_files
from recipekit.errors import DatasetError, EvaluationError, PluginError
from recipekit.worker import bootstrap
from recipekit.worker.user_code import guarded, load_object

Outputs = Mapping[str, npt.NDArray[Any]]


@dataclass(frozen=True)
class Resampling:
    """How many bootstrap replicates are drawn, and from which seed."""

    replicates: int
    seed: int


def open_metrics(metrics: Mapping[str, Mapping[str, Any]], root: Path) -> dict[str, Metric]:
    """The metrics of a recipe, set up with their parameters, by name.

    Args:
        metrics: parameters by registry name, or by `module:function` of the project.
        root: the project root, where such modules and files that parameters name are found.

    Raises:
        UsageError: there is no such metric.
        PluginError: its code can't be loaded, doesn't take the parameters, or gives something else than a metric.
    """
    opened: dict[str, Metric] = {}
    for name, parameters in metrics.items():
        plugin = load_object(name, root) if ":" in name else registry.plugin("metrics", name)
        files = {key: str(root / path) for key, path in metric_files(name, parameters).items()}
        with guarded(f"setting up the metric '{name}'"):
            metric = plugin(**{**parameters, **files})
        missing = [part for part in ("higher_is_better", "score", "hits") if not hasattr(metric, part)]
        if missing:
            raise PluginError(
                f"gave {type(metric).__name__}, which has no `{missing[0]}`",
                where=f"the metric '{name}'",
                fix="let it return an object like recipekit.contracts.Metric",
            )
        opened[name] = metric
    return opened


def stack_labels(labels: Sequence[Any], ids: Sequence[str], output: str | None = None) -> npt.NDArray[Any]:
    """Labels as one array, first axis = samples; labels of different shapes as an array of arrays (dtype object).

    Args:
        labels: of each sample, None where it has none; a mapping where it has one for each of several outputs.
        ids: of the samples, for messages.
        output: that a metric is computed on; says which one of several labels is meant.

    Raises:
        DatasetError: a label is missing.
    """
    if output is None and any(isinstance(label, Mapping) for label in labels):
        named = sorted({key for label in labels if isinstance(label, Mapping) for key in label})
        raise DatasetError(
            f"the samples have a label for each of several outputs, {', '.join(named)}, and the metric names none",
            where=f"sample '{ids[0]}'",
            fix=f"give the metric its output, such as `{{output: {named[0]}}}`",
        )
    labels = [label.get(output) if isinstance(label, Mapping) else label for label in labels]
    missing = [name for name, label in zip(ids, labels, strict=True) if label is None]
    if missing:
        wanted = f" for '{output}'" if output else ""
        raise DatasetError(
            f"{len(missing)} of {len(ids)} samples have no label{wanted}, and the task metrics need them",
            where=f"sample '{missing[0]}'",
            fix="give the evaluation dataset labels, or leave `evaluation.metrics` and `acceptance.task` out",
        )
    try:
        return np.asarray(labels)
    except ValueError:  # a number of objects, say, that varies from sample to sample
        stacked = np.empty(len(labels), object)
        for index, label in enumerate(labels):
            stacked[index] = np.asarray(label)
        return stacked


def score(
    name: str, metric: Metric, labels: npt.NDArray[Any], models: tuple[Outputs, Outputs], resampling: Resampling
) -> TaskScore:
    """One task metric of both models.

    Args:
        name: of the metric, for messages.
        metric: the metric.
        labels: first axis = samples.
        models: outputs of the float model and of the converted one, by output name, first axis = samples.
        resampling: replicates are drawn only for a metric without hits.

    Raises:
        DatasetError: the metric can't be computed of these labels.
        EvaluationError: it can't be computed of these outputs, or isn't a finite number.
        PluginError: the metric's code failed.
    """
    try:
        with guarded(f"the metric '{name}'"):
            float_value, converted_value = (float(metric.score(labels, outputs, None)) for outputs in models)
            float_hits, converted_hits = (metric.hits(labels, outputs) for outputs in models)
            higher_is_better = bool(metric.higher_is_better)
    except (DatasetError, EvaluationError) as error:
        error.where = error.where or f"evaluation.metrics.{name}"
        raise
    if not (math.isfinite(float_value) and math.isfinite(converted_value)):
        raise EvaluationError(
            f"the metric '{name}' is {float_value} for the float model and {converted_value} for the converted one",
            where="evaluation.metrics",
            fix="evaluate samples on which the metric is defined",
        )
    paired = None
    if float_hits is not None and converted_hits is not None:
        paired = _count(float_hits, converted_hits)
    return TaskScore(
        float_value=float_value,
        converted_value=converted_value,
        higher_is_better=higher_is_better,
        paired=paired,
        replicates=() if paired else _replicates(name, metric, labels, models, resampling),
    )


def _replicates(
    name: str, metric: Metric, labels: npt.NDArray[Any], models: tuple[Outputs, Outputs], resampling: Resampling
) -> tuple[tuple[float, float], ...]:
    def weighted(weights: npt.NDArray[np.float64]) -> tuple[float, float]:
        float_value, converted_value = (float(metric.score(labels, outputs, weights)) for outputs in models)
        return float_value, converted_value

    with guarded(f"the metric '{name}'"):
        return bootstrap.paired(weighted, metric.higher_is_better, len(labels), resampling.replicates, resampling.seed)


def _count(float_hits: npt.NDArray[np.bool_], converted_hits: npt.NDArray[np.bool_]) -> PairedCounts:
    return PairedCounts(
        both=int(np.count_nonzero(float_hits & converted_hits)),
        only_float=int(np.count_nonzero(float_hits & ~converted_hits)),
        only_converted=int(np.count_nonzero(~float_hits & converted_hits)),
        neither=int(np.count_nonzero(~float_hits & ~converted_hits)),
    )
