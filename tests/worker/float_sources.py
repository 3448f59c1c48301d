"""What the tests of sources, `load` and `reference` share: model specs, samples, and both sides of a conversion."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from ai_edge_litert.interpreter import Interpreter

from recipekit.contracts import (
    CalibrateRequest,
    ConverterSpec,
    CustomLayersSpec,
    DatasetSpec,
    LoadedModel,
    LoadRequest,
    LoweringSpec,
    LowerRequest,
    Measurement,
    MeasureRequest,
    ModelSpec,
    QuantizeRequest,
    Reference,
    ReferenceRequest,
    SourceSpec,
)
from tests.conftest import RunStage
from tests.readings import dataset_spec

PROJECT = Path(__file__).parents[1] / "models" / "project"
LAYERS = CustomLayersSpec(modules=("layers/scale.py",))
MLPERF_TINY = Path(__file__).parents[3] / "shared" / "data" / "mlperf_tiny"

Arrays = dict[str, npt.NDArray[Any]]


def model(kind: str, path: Path | None = None, layers: CustomLayersSpec | None = None, **source: Any) -> ModelSpec:
    """The spec of a model of the test project."""
    return ModelSpec(
        source=SourceSpec(kind=kind, path=str(path or ""), **source),
        custom_layers=layers or CustomLayersSpec(),
        project_root=str(PROJECT),
        seed=0,
    )


def load(run_stage: RunStage, spec: ModelSpec) -> LoadedModel:
    loaded: LoadedModel = run_stage("load", LoadRequest(model=spec))
    return loaded


def dataset(path: Path, samples: Mapping[str, npt.NDArray[Any]]) -> DatasetSpec:
    """The dataset of an `npz` file that is written here: arrays by input name, the first axis being the samples."""
    np.savez(path, **samples)  # type: ignore[arg-type]  # NumPy's stub takes the keywords for its options
    return dataset_spec("npz", PROJECT, params={"path": str(path)})


def growing(count: int, by: int, seed: int = 0) -> DatasetSpec:
    """Images of noise, each larger than the one before; see `tests/models/project/growing.py`."""
    return dataset_spec("growing", PROJECT, params={"count": count, "by": by}, seed=seed, modules=("growing.py",))


def reference(run_stage: RunStage, spec: ModelSpec, loaded: LoadedModel, samples: DatasetSpec) -> Reference:
    answer: Reference = run_stage("reference", ReferenceRequest(model=spec, loaded=loaded, dataset=samples))
    return answer


def values(answer: Reference) -> Arrays:
    """Reference outputs by name, the first axis being the samples."""
    return {name: np.fromfile(log.path, log.dtype).reshape(-1, *log.shape) for name, log in answer.outputs.items()}


def draw(loaded: LoadedModel, count: int) -> Arrays:
    """Random samples for a model, a different range for each input."""
    generator = np.random.default_rng(0)
    return {
        spec.name: generator.uniform(index, index + 1, (count, *[size or 4 for size in spec.shape[1:]])).astype(
            spec.dtype
        )
        for index, spec in enumerate(loaded.signature.inputs)
    }


def both_sides(run_stage: RunStage, spec: ModelSpec, tmp_path: Path) -> tuple[Arrays, Arrays]:
    """The float model's outputs and those of its plain conversion, on five random samples."""
    loaded = load(run_stage, spec)
    samples = draw(loaded, 5)
    expected = values(reference(run_stage, spec, loaded, dataset(tmp_path / "samples.npz", samples)))
    lowering = LoweringSpec(supported_ops=("TFLITE_BUILTINS",), allow_custom_ops=False, flags={})
    lowered = run_stage("lower", LowerRequest(loaded=loaded, lowering=lowering))
    runner = Interpreter(model_path=lowered.path).get_signature_runner()
    rows = [runner(**{name: array[[row]] for name, array in samples.items()}) for row in range(5)]
    return expected, {name: np.concatenate([row[name] for row in rows]) for name in rows[0]}


def assert_agree(sides: tuple[Arrays, Arrays]) -> None:
    """Both sides have the same outputs, by name."""
    expected, converted = sides
    assert expected.keys() == converted.keys()
    for name, array in expected.items():
        np.testing.assert_allclose(converted[name], array, rtol=1e-4, atol=1e-5)


def measured(
    run_stage: RunStage,
    spec: ModelSpec,
    tmp_path: Path,
    quantization: str = "none",
    samples: Arrays | DatasetSpec | None = None,
    engine: str = "tflite_converter",
    calibration_data: DatasetSpec | None = None,
) -> Measurement:
    """The whole way of a model: its conversion by a scheme, beside itself, on ten random samples or on given ones.

    Calibrated on the same samples, where no others are given.
    """
    loaded = load(run_stage, spec)
    data = samples
    if not isinstance(data, DatasetSpec):
        data = dataset(tmp_path / "samples.npz", data or draw(loaded, 10))
    answer = reference(run_stage, spec, loaded, data)
    converter = ConverterSpec(engine=engine, quantization=quantization, allow_float=True)
    float32 = run_stage("lower", LowerRequest(loaded=loaded, lowering=converter.lowering)).path
    representative = (calibration_data or data) if converter.needs_samples else None
    calibration = None
    if representative is not None:
        request = CalibrateRequest(
            loaded=loaded, float32=float32, calibration=converter.calibration, dataset=representative
        )
        calibration = run_stage("calibrate", request)
    candidate = run_stage(
        "quantize",
        QuantizeRequest(
            loaded=loaded, float32=float32, converter=converter, calibration=calibration, dataset=representative
        ),
    )
    result: Measurement = run_stage(
        "measure",
        MeasureRequest(
            candidate=candidate.path,
            float32=float32,
            signatures=loaded.signatures,
            dataset=data,
            reference=answer,
            metrics={},
            replicates=0,
            seed=0,
        ),
    )
    return result


def worst_sqnr_db(measurement: Measurement) -> float:
    """Signal to quantization noise of the worst output, dB."""
    return min(parity.sqnr_db for parity in measurement.parity.values())
