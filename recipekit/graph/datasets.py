"""For all stages that read a dataset: its key in the recipe, and the check that it still gives the same samples."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from recipekit.contracts import DatasetSpec, SampleSet
from recipekit.recipe import Recipe
from recipekit.same_samples import require_same_samples


def dataset_section(recipe: Recipe, role: str) -> str:
    """The recipe's key of the dataset of a role, `calibration` or `evaluation`."""
    if role == "calibration" or "evaluation" not in recipe.resolved:
        return "representative_dataset"
    return "evaluation.dataset"


def signature_section(recipe: Recipe, role: str, signature: str) -> str:
    """The recipe's key of the samples of one signature; that of the whole where one dataset serves for all."""
    section = dataset_section(recipe, role)
    declared: Any = recipe.resolved
    for key in section.split("."):
        declared = declared[key]
    return f"{section}.signatures.{signature}" if "signatures" in declared else section


def same_samples(samples: SampleSet, dataset: DatasetSpec) -> Callable[[Any], None]:
    """A check that a stage's record is of the samples of the survey; one without samples has read none."""

    def check(record: Any) -> None:
        if record.samples is not None:
            require_same_samples(samples, record.samples, dataset.plugin)

    return check
