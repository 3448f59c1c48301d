"""The stage that everything but the samples begins with; its key is known before they are."""

from __future__ import annotations

from pathlib import Path

import msgspec

from recipekit.build import Job
from recipekit.contracts import EXACT_SQNR_DB, LOAD, LoadedModel, LoadRequest
from recipekit.graph.node import Node
from recipekit.inputs import Input
from recipekit.surroundings import Surroundings


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
    reads = tuple(entry for entry in pinned if entry.role in roles or entry.name == (source.factory or None))
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
        label=stage.name,
        stage=stage,
        inputs=inputs,
        tools=surroundings.tools_digest(stage.worker),
        needs=(),
        request=lambda _: LoadRequest(model=model),
        note=lambda loaded: f"{loaded.loader}: {loaded.reason}{_replaced(loaded)}",
        reads=reads,
        places={"source": source.path} if source.path else {},
    )


def _replaced(loaded: LoadedModel) -> str:
    """What was replaced, and how well it agrees."""
    if not loaded.replaced:
        return ""
    counts = ", ".join(f"{len(each.places)} {each.name}" for each in loaded.replaced)
    ratio = loaded.replacement_sqnr_db
    agreement = "not comparable on drawn inputs" if ratio is None else f"{ratio:.1f} dB"
    return f"; replaced {counts} ({'exact' if ratio == EXACT_SQNR_DB else agreement})"
