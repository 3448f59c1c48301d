"""Recurrent models of the test project, and the way of a float model to integers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from recipekit.contracts import (
    CalibrateRequest,
    ConverterSpec,
    LoadedModel,
    LoweringSpec,
    LowerRequest,
    ModelSpec,
    QuantizeRequest,
    UnrollRequest,
)
from tests.conftest import RunStage
from tests.worker.conversions import spec
from tests.worker.float_sources import dataset, draw, model

LOWERING = LoweringSpec(supported_ops=("TFLITE_BUILTINS",), allow_custom_ops=False, flags={})
INT8 = spec("int8", "int8")


def recurrent(package: str, layer: str, **kwargs: Any) -> ModelSpec:
    return model("python", factory="recurrent.py:model", kwargs={"package": package, "layer": layer, **kwargs})


def unroll(run_stage: RunStage, of: ModelSpec) -> LoadedModel:
    unrolled: LoadedModel = run_stage("unroll", UnrollRequest(model=of))
    return unrolled


def int8(run_stage: RunStage, loaded: LoadedModel, folder: Path, converter: ConverterSpec = INT8) -> Path:
    """The candidate that is made of a float model."""
    float32 = run_stage("lower", LowerRequest(loaded=loaded, lowering=LOWERING)).path
    samples = dataset(folder / "samples.npz", draw(loaded, 8))
    calibrate = CalibrateRequest(loaded=loaded, float32=float32, calibration=converter.calibration, dataset=samples)
    calibration = run_stage("calibrate", calibrate)
    quantize = QuantizeRequest(
        loaded=loaded, float32=float32, converter=converter, calibration=calibration, dataset=samples
    )
    return Path(run_stage("quantize", quantize).path)
