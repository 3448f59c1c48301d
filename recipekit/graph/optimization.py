"""The stages that change the float model before its conversion, and those that hold the result to it."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from recipekit import extras
from recipekit.build import Job
from recipekit.contracts import (
    CONFIRM,
    ENCODE,
    OPTIMIZE,
    ConfirmRequest,
    EncodeRequest,
    Flatbuffer,
    LoadedModel,
    OptimizedModel,
    OptimizeRequest,
    OptimizeSpec,
    SampleSet,
)
from recipekit.graph.node import Node
from recipekit.same_samples import require_same_samples
from recipekit.surroundings import Surroundings


def optimize_stage(
    job: Job,
    optimize: OptimizeSpec,
    surroundings: Surroundings,
    load: Node,
    samples: Mapping[str, SampleSet],
    *,
    unroll: bool,
) -> Node:
    """The stage that prunes, clusters and trains.

    Args:
        job: what is built.
        optimize: its steps.
        surroundings: of the build.
        load: the float model.
        samples: the surveys' records by role, `<step>-samples` for each training.
        unroll: whether recurrent layers are written out for calibration.
    """
    model = job.recipe.model
    read = {step: samples[f"{step}-samples"] for step, _ in optimize.finetunes()}
    declared = msgspec.to_builtins(optimize)
    for step, _ in optimize.finetunes():
        del declared[step]["finetune"]["dataset"]  # its samples count, not the way to them
    if optimize.prune is not None:
        del declared["prune"]["encode"]
    inputs = {
        "optimize": declared,
        "samples": {step: record.sha256 for step, record in read.items()},
        "seed": model.seed,
        "unroll": unroll,
        "packages": surroundings.packages_of(extras.of_optimization(optimize)),
    }

    def check(optimized: OptimizedModel) -> None:
        for step, finetune in optimize.finetunes():
            require_same_samples(read[step], optimized.trainings[step].samples, finetune.dataset.plugin)

    return Node(
        stage=OPTIMIZE,
        inputs=inputs,
        surroundings=surroundings,
        needs=(load,),
        request=lambda records: OptimizeRequest(
            model=model,
            loaded=records["load"],
            optimize=optimize,
            samples={step: record.count for step, record in read.items()},
            unroll=unroll,
        ),
        note=_note,
        reads=load.reads,
        dataset=training_section(*read),
        check=check,
    )


def encode_stage(surroundings: Surroundings, candidate: Node) -> Node:
    """The stage that leaves the zeros of a converted model's weights out of the file, where that is worth it."""
    return Node(
        stage=ENCODE,
        inputs={},
        surroundings=surroundings,
        needs=(candidate,),
        request=lambda records: EncodeRequest(flatbuffer=records[candidate.label].path),
        note=lambda flatbuffer: f"{flatbuffer.size:,} bytes",
        reads=candidate.reads,
    )


def confirm_stage(surroundings: Surroundings, optimize: Node, candidate: Flatbuffer) -> Node:
    """The stage that looks for promised zeros and clusters in a converted model."""
    return Node(
        stage=CONFIRM,
        inputs={"candidate": candidate.sha256},
        surroundings=surroundings,
        needs=(optimize,),
        request=lambda records: ConfirmRequest(
            candidate=candidate.path,
            promises=records[optimize.label].promises,
            weights=records[optimize.label].weights,
        ),
        note=lambda confirmation: f"{len(confirmation.layers)} layers keep what was promised",
        reads=optimize.reads,
    )


def converted_model(record: LoadedModel | OptimizedModel) -> LoadedModel:
    """The model of either stage that gives one, ready for lowering."""
    return record.loaded if isinstance(record, OptimizedModel) else record


def training_section(*steps: str) -> str:
    """The recipe's key of the dataset of a training, or of several."""
    return f"optimize.{'|'.join(steps)}.finetune.dataset" if steps else ""


def _note(optimized: OptimizedModel) -> str:
    changed = f"{len(optimized.promises)} layers changed" if optimized.promises else "all layers trained"
    losses = (f"{step} loss {run.losses[0]:.3g} to {run.losses[-1]:.3g}" for step, run in optimized.trainings.items())
    return ", ".join([changed, *losses])
