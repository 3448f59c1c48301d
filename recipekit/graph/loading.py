"""The stage that everything but the samples begins with, and the one that holds its replacements to their originals."""

from __future__ import annotations

from pathlib import Path

import msgspec

from recipekit.build import Job, plugin_code
from recipekit.contracts import AGREE, EXACT_SQNR_DB, LOAD, AgreeRequest, LoadedModel, LoadRequest, SampleSet
from recipekit.graph.datasets import dataset_section
from recipekit.graph.node import Node
from recipekit.inputs import Input
from recipekit.recipe import Recipe
from recipekit.surroundings import Surroundings

_COMPARED = 8
"""Samples that are enough to tell a replacement that computes something else."""


def load_stage(job: Job, pinned: tuple[Input, ...], surroundings: Surroundings) -> Node:
    """The stage that gives the float model.

    Args:
        job: what is built.
        pinned: its inputs, from `build.pin_inputs`.
        surroundings: of the build.
    """
    model = job.recipe.model
    source = model.source
    roles = {"model-source", "custom-layer"}
    code = {source.factory or None, *plugin_code("sources", source.kind)}
    reads = tuple(entry for entry in pinned if entry.role in roles or entry.name in code)
    declared = msgspec.to_builtins(source)
    del declared["path"]
    inputs = {
        "source": {**declared, "suffix": Path(source.path).suffix},
        "custom_layers": msgspec.to_builtins(model.custom_layers),
        "seed": model.seed,
        "read": {entry.name: entry.digest for entry in reads},
    }
    stage = LOAD.on("litert") if source.kind == "tflite" else LOAD
    return Node(
        stage=stage,
        inputs=inputs,
        surroundings=surroundings,
        request=lambda _: LoadRequest(model=model),
        note=lambda loaded: f"{loaded.loader}: {loaded.reason}{_replaced(loaded)}",
        reads=reads,
        places={"source": source.path} if source.path else {},
    )


def agree_stage(recipe: Recipe, surroundings: Surroundings, load: Node, samples: SampleSet, role: str) -> Node:
    """The stage that compares a model with replacements with the original, on the first few samples of a dataset.

    Args:
        recipe: what is built.
        surroundings: of the build.
        load: the float model.
        samples: the survey's record of the dataset.
        role: of the dataset, `calibration` or `evaluation`.
    """
    dataset = recipe.calibration if role == "calibration" else recipe.evaluation.dataset
    assert dataset is not None  # for type checkers: it was surveyed
    first = msgspec.structs.replace(dataset, samples=min(_COMPARED, samples.count))
    return Node(
        stage=AGREE,
        surroundings=surroundings,
        inputs={"samples": samples.sha256, "first": first.samples},
        needs=(load,),
        request=lambda records: AgreeRequest(model=recipe.model, loaded=records[load.label], dataset=first),
        note=lambda agreement: f"replacements on {agreement.samples.count} samples: {_decibels(agreement.sqnr_db)}",
        reads=load.reads,
        dataset=dataset_section(recipe, role),
    )


def _replaced(loaded: LoadedModel) -> str:
    """What was replaced, and how well it agrees."""
    if not loaded.replaced:
        return ""
    counts = ", ".join(f"{len(each.places)} {each.name}" for each in loaded.replaced)
    ratio = loaded.replacement_sqnr_db
    return f"; replaced {counts} ({'not comparable on drawn inputs' if ratio is None else _decibels(ratio)})"


def _decibels(ratio: float | None) -> str:
    if ratio is None:
        return "no output is a number"
    return "exact" if ratio == EXACT_SQNR_DB else f"{ratio:.1f} dB"
