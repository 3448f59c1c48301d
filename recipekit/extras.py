"""Which extras of recipekit (optional packages) a recipe uses: those can change its output, so they belong to its keys.

It only maps names to names; whether a package is installed is found out where it is used.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from recipekit.contracts import ArtifactsSpec, DatasetSpec, OptimizeSpec

_DATASETS = {"wav_folder": "audio", "tfds": "tfds", "huggingface": "huggingface"}
_STEPS = {"log_mel": "audio", "mfcc": "audio"}
_METRICS = {"mean_average_precision": "detection", "word_error_rate": "text", "bleu": "text"}


def of_dataset(dataset: DatasetSpec) -> frozenset[str]:
    """Extras that reading a dataset may need, preprocessing included."""
    steps = {name for step in dataset.preprocess for name in step}
    return _known(_DATASETS, [dataset.plugin]) | _known(_STEPS, steps)


def of_metrics(metrics: Mapping[str, Any]) -> frozenset[str]:
    """Extras that some task metrics need."""
    return _known(_METRICS, metrics)


def of_optimization(optimize: OptimizeSpec | None) -> frozenset[str]:
    """The extra of optimizations that train or cluster; pruning in one shot does without."""
    return frozenset() if optimize is None or optimize.one_shot else frozenset({"optimize"})


def of_artifacts(artifacts: ArtifactsSpec) -> frozenset[str]:
    """The extra of the compiler for Ethos-U."""
    return frozenset() if artifacts.vela is None else frozenset({"vela"})


def _known(table: Mapping[str, str], names: Iterable[str]) -> frozenset[str]:
    return frozenset(table[name] for name in names if name in table)
