"""What several rules ask of a composed recipe."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from recipekit.contracts import calibrates
from recipekit.faults import Fault, dotted

Section = dict[str, Any]
"""A recipe, or a section of one, as plain data that the schema accepts."""


def runs_nothing(recipe: Section) -> bool:
    """Whether the converted model is not to be run."""
    return bool(recipe.get("evaluation", {}).get("runtime") == "none")


def trains_ranges(recipe: Section) -> bool:
    """Whether the model is trained for quantization, so that its ranges need no calibration."""
    return "quantization_aware_training" in recipe["optimize"]


def calibrating(recipe: Section) -> bool:
    """Whether ranges or statistics are collected from samples."""
    if trains_ranges(recipe):
        return False
    converter = recipe["converter"]
    schemes = [converter["quantization"], *(rule["quantization"] for rule in converter["rules"])]
    return calibrates(schemes, converter.get("algorithm", ""))


def signature_keys(recipe: Section) -> tuple[str, ...]:
    """The keys of the source's signatures where the recipe names several; else none."""
    declared = recipe["source"].get("signature", "")
    return () if isinstance(declared, str) or len(declared) < 2 else tuple(declared)


def model_datasets(recipe: Section) -> Iterator[tuple[tuple[str, ...], Section]]:
    """The representative and the evaluation dataset, each with its place, those of several signatures as one."""
    if "representative_dataset" in recipe:
        yield ("representative_dataset",), recipe["representative_dataset"]
    if "dataset" in recipe.get("evaluation", {}):
        yield ("evaluation", "dataset"), recipe["evaluation"]["dataset"]


def declared_datasets(recipe: Section) -> Iterator[tuple[tuple[str, ...], Section]]:
    """The datasets of a recipe, each with its place."""
    for place, dataset in model_datasets(recipe):
        if "signatures" in dataset:
            yield from (((*place, "signatures", key), part) for key, part in dataset["signatures"].items())
        else:
            yield place, dataset
    for step, declared in recipe["optimize"].items():
        if "finetune" in declared:
            yield ("optimize", step, "finetune", "dataset"), declared["finetune"]["dataset"]


def pattern_fault(place: tuple[str | int, ...], pattern: str) -> Iterator[Fault]:
    """The fault of a key that holds a regular expression, where its pattern is none."""
    try:
        re.compile(pattern)
    except re.error as error:
        yield Fault(place, f"'{dotted(place)}' is no regular expression: {error}")
