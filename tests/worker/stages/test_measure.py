from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pytest

from recipekit.contracts import (
    EXACT_SQNR_DB,
    BenchmarkRequest,
    BenchmarkSpec,
    DatasetSpec,
    MeasureRequest,
    Reference,
    Signature,
    SurveyRequest,
    TensorLog,
    TensorSpec,
)
from recipekit.errors import DatasetError, EvaluationError
from recipekit.worker.build_key_place import published_size
from recipekit.worker.interpreter import Runner
from recipekit.worker.stages import benchmark, measure, survey
from tests.conftest import RunStage
from tests.readings import dataset_spec

pytestmark = pytest.mark.tensorflow

IMAGE = Signature(
    inputs=(TensorSpec(name="image", shape=(1, 8, 8, 3), dtype="float32"),),
    outputs=(TensorSpec(name="probabilities", shape=(1, 4), dtype="float32"),),
)
TWINS = Signature(
    inputs=tuple(TensorSpec(name=name, shape=(1, 4), dtype="float32") for name in ("right", "left")),
    outputs=tuple(TensorSpec(name=name, shape=(1, 4), dtype="float32") for name in ("total", "difference")),
)


def dataset(folder: Path, **arrays: npt.NDArray[Any]) -> DatasetSpec:
    np.savez(folder / "samples.npz", allow_pickle=False, **arrays)
    return dataset_spec("npz", folder, params={"path": str(folder / "samples.npz")})


def reference(folder: Path, spec: DatasetSpec, outputs: Mapping[str, npt.NDArray[Any]]) -> Reference:
    logs = {}
    for name, array in outputs.items():
        array.tofile(folder / name)
        logs[name] = TensorLog(path=str(folder / name), dtype=array.dtype.name, shape=array.shape[1:])
    (folder / "reference").mkdir()
    return Reference(outputs=logs, samples=survey.run(SurveyRequest(dataset=spec), folder / "reference"))


def images(count: int = 40) -> npt.NDArray[np.float32]:
    return np.random.default_rng(2).normal(0, 1, (count, 8, 8, 3)).astype(np.float32)


@pytest.fixture
def request_(measured_models: Path, tmp_path: Path) -> MeasureRequest:
    """The float32 classifier measured against itself on samples that it labels right."""
    float32 = measured_models / "float32.tflite"
    runner = Runner(float32)
    expected = np.stack([runner.run({"image": image})["probabilities"] for image in images()])
    spec = dataset(tmp_path, image=images(), labels=expected.argmax(axis=1))
    return MeasureRequest(
        candidate=str(float32),
        float32=str(float32),
        signatures={"serving_default": IMAGE},
        dataset=spec,
        reference=reference(tmp_path, spec, {"probabilities": expected}),
        metrics={},
        replicates=0,
        seed=0,
    )


def candidate(request: MeasureRequest, path: Path) -> MeasureRequest:
    return msgspec.structs.replace(request, candidate=str(path))


def test_a_model_is_at_no_distance_from_itself(request_: MeasureRequest, folder: Path) -> None:
    measurement = measure.run(request_, folder)
    parity = measurement.parity["probabilities"]
    assert (parity.sqnr_db, parity.argmax_agreement, parity.rows) == (EXACT_SQNR_DB, 1, 40)
    assert measurement.size == Path(request_.candidate).stat().st_size
    assert measurement.float32_size == published_size(Path(request_.float32))
    assert measurement.census.float_ops == 5
    assert (measurement.task, measurement.latency, measurement.float32_latency) == ({}, None, None)
    assert measurement.samples is not None
    assert measurement.samples.sha256 == request_.reference.samples.sha256
    assert Path(measurement.samples.path).parent == folder


@pytest.mark.parametrize(
    ("name", "least", "most"),
    [("float16", 50, 150), ("dynamic_range", 20, 100), ("int16x8", 20, 100), ("int8", 10, 60), ("uint8", 10, 60)],
)
def test_a_quantized_model_is_near(
    request_: MeasureRequest, measured_models: Path, folder: Path, name: str, least: float, most: float
) -> None:
    measurement = measure.run(candidate(request_, measured_models / f"{name}.tflite"), folder)
    assert least < measurement.parity["probabilities"].sqnr_db < most
    assert measurement.size < measurement.float32_size


def test_task_metrics_score_both_models(request_: MeasureRequest, measured_models: Path, folder: Path) -> None:
    request = msgspec.structs.replace(
        candidate(request_, measured_models / "int8.tflite"),
        metrics={"top1_accuracy": {}, "topk_accuracy": {"k": 2}, "f1": {"average": "weighted"}},
        replicates=25,
    )
    measurement = measure.run(request, folder)
    top1 = measurement.task["top1_accuracy"]
    assert top1.float_value == 1
    assert top1.converted_value == measurement.parity["probabilities"].argmax_agreement
    assert top1.paired is not None
    assert top1.paired.both + top1.paired.only_float == 40
    assert set(measurement.task) == {"top1_accuracy", "topk_accuracy", "f1"}
    assert len(measurement.task["f1"].replicates) == 25


def test_a_benchmark_times_both_models_on_the_first_sample(
    request_: MeasureRequest, measured_models: Path, folder: Path
) -> None:
    request = BenchmarkRequest(
        candidate=str(measured_models / "int16x8.tflite"),
        float32=request_.float32,
        signatures=request_.signatures,
        dataset=request_.dataset,
        benchmark=BenchmarkSpec(runs=20, warmup=2, threads=1),
    )
    latencies = benchmark.run(request, folder)
    assert latencies.candidate.p50_ms > latencies.float32.p50_ms > 0  # int16x8 has reference kernels alone


def test_outputs_are_compared_by_name(measured_models: Path, tmp_path: Path, folder: Path) -> None:
    right, left = np.random.default_rng(0).normal(0, 1, (2, 5, 4)).astype(np.float32)
    spec = dataset(tmp_path, left=left, right=right)
    outputs = {"total": right + 2 * left, "difference": right - left}
    request = MeasureRequest(
        candidate=str(measured_models / "twins.tflite"),
        float32=str(measured_models / "twins.tflite"),
        signatures={"serving_default": TWINS},
        dataset=spec,
        reference=reference(tmp_path, spec, outputs),
        metrics={},
        replicates=0,
        seed=0,
    )
    parity = measure.run(request, folder).parity
    assert {name: values.max_abs_error < 1e-6 for name, values in parity.items()} == {"total": True, "difference": True}


def test_other_outputs_than_the_float_models_are_refused(request_: MeasureRequest, folder: Path) -> None:
    renamed = msgspec.structs.replace(
        request_.reference, outputs={"scores": request_.reference.outputs["probabilities"]}
    )
    request = msgspec.structs.replace(request_, reference=renamed)
    with pytest.raises(EvaluationError, match="outputs are probabilities, the float model's scores"):
        measure.run(request, folder)


def test_other_inputs_than_the_float_models_are_refused(
    request_: MeasureRequest, measured_models: Path, folder: Path
) -> None:
    with pytest.raises(EvaluationError, match="inputs are left, right, the float model's image"):
        measure.run(candidate(request_, measured_models / "twins.tflite"), folder)


def test_other_samples_than_the_references_are_refused_by_the_first_one(
    request_: MeasureRequest, tmp_path: Path, folder: Path
) -> None:
    with np.load(tmp_path / "samples.npz") as arrays:
        image, labels = arrays["image"], arrays["labels"]
    image[7, 0, 0, 0] += 1
    request = msgspec.structs.replace(request_, dataset=dataset(tmp_path, image=image, labels=labels))
    with pytest.raises(DatasetError, match="between two readings: sample 7 was"):
        measure.run(request, folder)


def test_fewer_samples_than_the_references_are_refused(request_: MeasureRequest, tmp_path: Path, folder: Path) -> None:
    request = msgspec.structs.replace(request_, dataset=dataset(tmp_path, image=images(39)))
    with pytest.raises(DatasetError, match="gave 39 samples to the converted model, and 40 to the float model"):
        measure.run(request, folder)


def test_a_metric_without_labels_is_refused(request_: MeasureRequest, tmp_path: Path, folder: Path) -> None:
    spec = dataset(tmp_path, image=images())
    request = msgspec.structs.replace(request_, dataset=spec, metrics={"top1_accuracy": {}})
    (folder / "survey").mkdir()
    samples = survey.run(SurveyRequest(dataset=spec), folder / "survey")
    request = msgspec.structs.replace(request, reference=msgspec.structs.replace(request.reference, samples=samples))
    with pytest.raises(DatasetError, match="40 of 40 samples have no label"):
        measure.run(request, folder)


def test_an_output_that_is_not_finite_is_refused(measured_models: Path, tmp_path: Path, folder: Path) -> None:
    x = np.ones((3, 2), np.float32)
    x[1, 1] = 0
    spec = dataset(tmp_path, x=x)
    request = MeasureRequest(
        candidate=str(measured_models / "reciprocal.tflite"),
        float32=str(measured_models / "reciprocal.tflite"),
        signatures={
            "serving_default": Signature(
                inputs=(TensorSpec(name="x", shape=(1, 2), dtype="float32"),),
                outputs=(TensorSpec(name="y", shape=(1, 2), dtype="float32"),),
            )
        },
        dataset=spec,
        reference=reference(tmp_path, spec, {"y": np.ones((3, 2), np.float32)}),
        metrics={},
        replicates=0,
        seed=0,
    )
    with pytest.raises(EvaluationError, match="output 'y': the converted model gives inf for sample 1"):
        measure.run(request, folder)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("flex", "LiteRT lacks operators of TensorFlow: MatrixDeterminant"),
        ("custom", "LiteRT lacks custom operators: MatrixDeterminant"),
    ],
)
def test_a_candidate_with_operators_that_litert_lacks_is_not_run(
    request_: MeasureRequest, measured_models: Path, folder: Path, name: str, why: str
) -> None:
    measurement = measure.run(candidate(request_, measured_models / f"{name}.tflite"), folder)
    assert (measurement.samples, measurement.parity, measurement.task) == (None, {}, {})
    assert measurement.not_run == why
    assert measurement.size == (measured_models / f"{name}.tflite").stat().st_size


def test_a_candidate_that_is_no_model_is_answered_before_native_code_sees_it(
    request_: MeasureRequest, tmp_path: Path, folder: Path
) -> None:
    (tmp_path / "eight.tflite").write_bytes(b"\x1c\0\0\0TFL3")
    with pytest.raises(EvaluationError, match=r"is not a readable \.tflite"):
        measure.run(candidate(request_, tmp_path / "eight.tflite"), folder)


def test_the_stage_runs_in_its_worker(request_: MeasureRequest, folder: Path, run_stage: RunStage) -> None:
    in_worker = run_stage("measure", request_)
    assert in_worker.parity == measure.run(request_, folder).parity


def test_a_metric_of_the_project_is_measured_beside_one_of_the_registry(
    request_: MeasureRequest, measured_models: Path, tmp_path: Path, folder: Path
) -> None:
    (tmp_path / "share.py").write_text(
        "import numpy as np\n"
        "class Share:\n"
        "    higher_is_better = True\n"
        "    def __init__(self, output): self.output = output\n"
        "    def hits(self, labels, outputs): return outputs[self.output].argmax(axis=1) == labels\n"
        "    def score(self, labels, outputs, weights): return np.average(self.hits(labels, outputs))\n"
    )
    request = candidate(request_, measured_models / "int8.tflite")
    metrics = {"top1_accuracy": {}, "share.py:Share": {"output": "probabilities"}}
    task = measure.run(msgspec.structs.replace(request, metrics=metrics), folder).task
    assert task["share.py:Share"] == task["top1_accuracy"]
    assert task["top1_accuracy"].paired is not None
