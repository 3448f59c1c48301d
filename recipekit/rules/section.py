"""What several rules ask of a composed recipe."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from recipekit.contracts import calibrates
from recipekit.rules.optimization import trains_ranges

Section = dict[str, Any]
"""A recipe, or a section of one, as plain data that the schema accepts."""


def runs_nothing(recipe: Section) -> bool:
    """Whether the converted model is not to be run."""
    return bool(recipe.get("evaluation", {}).get("runtime") == "none")


def calibrating(recipe: Section) -> bool:
    """Whether ranges or statistics are collected from samples."""
    if trains_ranges(recipe):
        return False
    converter = recipe["converter"]
    schemes = [converter["quantization"], *(rule["quantization"] for rule in converter["rules"])]
    return calibrates(schemes, converter.get("algorithm", ""))


def declared_datasets(recipe: Section) -> Iterator[tuple[tuple[str, ...], Section]]:
    """The datasets of a recipe, each with its place."""
    if "representative_dataset" in recipe:
        yield ("representative_dataset",), recipe["representative_dataset"]
    if "dataset" in recipe.get("evaluation", {}):
        yield ("evaluation", "dataset"), recipe["evaluation"]["dataset"]
    for step, declared in recipe["optimize"].items():
        if "finetune" in declared:
            yield ("optimize", step, "finetune", "dataset"), declared["finetune"]["dataset"]
