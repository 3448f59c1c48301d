"""What the tests of optimizations share: their models, and the stages from a source to a confirmed flatbuffer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from recipekit.contracts import (
    Confirmation,
    ConfirmRequest,
    ConverterSpec,
    FinetuneSpec,
    Flatbuffer,
    LoadedModel,
    LoweringSpec,
    LowerRequest,
    ModelSpec,
    OptimizedModel,
    OptimizeRequest,
    OptimizeSpec,
    QuantizeRequest,
)
from tests.conftest import RunStage
from tests.readings import dataset_spec
from tests.worker.float_sources import PROJECT, load

LOWERING = LoweringSpec(supported_ops=("TFLITE_BUILTINS",), allow_custom_ops=False, flags={})
INT8 = ConverterSpec(quantization="int8", input_type="int8", output_type="int8")


def finetune(folder: Path, **changes: Any) -> dict[str, Any]:
    """A short training on the labelled samples of a folder."""
    dataset = dataset_spec("npz", PROJECT, params={"path": str(folder / "train.npz")})
    spec = FinetuneSpec(dataset=dataset, epochs=2, learning_rate=1e-3, batch_size=16, optimizer="adam", loss="auto")
    return msgspec.to_builtins(msgspec.structs.replace(spec, **changes))  # type: ignore[no-any-return]


def optimize(
    run_stage: RunStage,
    model: ModelSpec,
    loaded: LoadedModel | None = None,
    *,
    unroll: bool = False,
    **steps: dict[str, Any],
) -> OptimizedModel:
    """Optimizes a model, which is loaded before unless it is given."""
    defaults: dict[str, dict[str, Any]] = {
        "prune": {"schedule": "constant", "layers": ".*", "encode": True},
        "cluster": {"layers": ".*"},
    }
    spec = msgspec.convert({name: {**defaults.get(name, {}), **step} for name, step in steps.items()}, OptimizeSpec)
    samples = {step: 96 for step, _ in spec.finetunes()}
    request = OptimizeRequest(
        model=model, loaded=loaded or load(run_stage, model), optimize=spec, samples=samples, unroll=unroll
    )
    optimized: OptimizedModel = run_stage("optimize", request)
    return optimized


def lower(run_stage: RunStage, optimized: OptimizedModel) -> Flatbuffer:
    flatbuffer: Flatbuffer = run_stage("lower", LowerRequest(loaded=optimized.loaded, lowering=LOWERING))
    return flatbuffer


def quantize_trained(run_stage: RunStage, optimized: OptimizedModel) -> Flatbuffer:
    request = QuantizeRequest(
        loaded=optimized.loaded, float32="", converter=INT8, calibration=None, dataset=None, trained_ranges=True
    )
    flatbuffer: Flatbuffer = run_stage("quantize", request)
    return flatbuffer


def confirm(run_stage: RunStage, optimized: OptimizedModel, flatbuffer: Flatbuffer) -> Confirmation:
    request = ConfirmRequest(candidate=flatbuffer.path, promises=optimized.promises, weights=optimized.weights)
    confirmation: Confirmation = run_stage("confirm", request)
    return confirmation


def weights(optimized: OptimizedModel) -> dict[str, npt.NDArray[Any]]:
    """The promised weights, by layer and tensor."""
    with np.load(optimized.weights) as file:
        return dict(file)
