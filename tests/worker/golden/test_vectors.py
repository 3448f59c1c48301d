from __future__ import annotations

import copy
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import flatbuffers  # type: ignore[import-untyped]  # it ships no types
import msgspec
import numpy as np
import numpy.typing as npt
import pytest
from ai_edge_litert import schema_py_generated as schema

from recipekit.contracts import DatasetSpec, GoldenVectors, GoldenVectorsRequest, SampleSet, Signature, TensorSpec
from recipekit.errors import DatasetError, EvaluationError
from recipekit.worker.golden.vectors import Tensor, Vector, report
from recipekit.worker.signature_samples import open_readings
from recipekit.worker.stages import golden_vectors
from tests.models.built_flatbuffers import Graph, classifier
from tests.worker.float_sources import dataset

X = np.random.default_rng(0).normal(size=(6, 64)).astype(np.float32)
SIGNATURE = Signature(
    inputs=(TensorSpec(name="x", shape=(1, 64), dtype="float32"),),
    outputs=(TensorSpec(name="scores", shape=(1, 8), dtype="float32"),),
)


def surveyed(spec: DatasetSpec, signatures: dict[str, Signature], folder: Path) -> SampleSet:
    folder.mkdir()
    readings = open_readings(spec, signatures, folder)
    for _ in readings:
        pass
    return readings.sample_set()


def made(model: bytes, samples: npt.NDArray[Any], folder: Path, count: int = 2, **changes: Any) -> GoldenVectors:
    folder.mkdir(parents=True)
    (folder / "model.tflite").write_bytes(model)
    signatures = changes.pop("signatures", {"serving_default": SIGNATURE})
    spec = dataset(folder / "samples.npz", {"x": samples})
    if len(signatures) > 1:
        spec = msgspec.structs.replace(spec, signatures=dict.fromkeys(signatures, spec))
    survey = surveyed(spec, signatures, folder / "survey")
    if "other" in changes:
        dataset(folder / "samples.npz", {"x": changes["other"]})
    (folder / "artifacts").mkdir()
    request = GoldenVectorsRequest(
        candidate=str(folder / "model.tflite"), signatures=signatures, dataset=spec, samples=survey, count=count
    )
    return golden_vectors.run(request, folder / "artifacts")


def with_second_signature(model: bytes) -> bytes:
    held = schema.ModelT.InitFromObj(schema.Model.GetRootAs(model))
    held.subgraphs.append(copy.deepcopy(held.subgraphs[0]))
    second = copy.deepcopy(held.signatureDefs[0])
    second.signatureKey, second.subgraphIndex = b"again", 1
    held.signatureDefs.append(second)
    builder = flatbuffers.Builder(1024)
    builder.Finish(held.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def test_the_same_model_and_samples_give_the_same_bytes(tmp_path: Path) -> None:
    first, second = (made(classifier(), X, tmp_path / name) for name in ("first", "second"))
    names = [Path(file).name for file in first.files]
    assert names == ["golden_vectors.npz", "test_golden_vectors.py", "golden_vectors.h", "golden_vectors_check.c"]
    for one, other in zip(first.files, second.files, strict=True):
        assert Path(one).read_bytes() == Path(other).read_bytes()


def test_float_outputs_are_those_of_the_reference_kernels_and_the_host_is_near(tmp_path: Path) -> None:
    golden = made(classifier(), X, tmp_path / "float")
    assert golden.report.vectors == 2
    assert golden.report.host_lsb == {}
    assert golden.report.host_abs_error.keys() == {"scores"}
    assert golden.report.host_abs_error["scores"] < 1e-6
    with np.load(golden.files[0]) as archive:
        index = json.loads(str(archive["index"]))
        assert [vector["sample"] for vector in index] == ["0", "1"]
        assert archive["1/inputs/x"].tolist() == X[1:2].tolist()
        assert archive["1/outputs/scores"].sum() == pytest.approx(1)


@pytest.mark.slow
def test_each_of_several_signatures_has_its_vectors_and_the_generated_test_runs_them(tmp_path: Path) -> None:
    signatures = {"serving_default": SIGNATURE, "again": SIGNATURE}
    golden = made(with_second_signature(classifier()), X, tmp_path / "several", count=1, signatures=signatures)
    assert golden.report.vectors == 2
    assert golden.report.host_abs_error.keys() == {"serving_default/scores", "again/scores"}
    for file in golden.files:
        shutil.copy(file, tmp_path)
    shutil.copy(tmp_path / "several" / "model.tflite", tmp_path)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_golden_vectors.py"]
    plain = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    done = subprocess.run(command, cwd=tmp_path, env=plain, capture_output=True, text=True, check=False)
    assert "4 passed" in done.stdout, done.stdout


def test_other_samples_than_the_build_is_keyed_by_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="gives other samples than when the build began"):
        made(classifier(), X, tmp_path / "changed", other=X + 1)


def test_an_output_that_is_not_finite_is_no_golden_vector(tmp_path: Path) -> None:
    graph = Graph()
    model = graph.finish({"scores": graph.add("LOG", "logs", [graph.input("x", (1, 64))], (1, 64))})
    with pytest.raises(EvaluationError, match="'scores' isn't finite"):
        made(model, -np.abs(X), tmp_path / "logs")


@pytest.mark.parametrize(
    ("dtype", "low", "high", "distance"),
    [("int8", -128, 127, 255), ("uint8", 0, 255, 255), ("int64", -(2**63), 2**63 - 1, 2**64 - 1)],
)
def test_a_distance_in_steps_never_overflows(dtype: str, low: int, high: int, distance: int) -> None:
    output = Tensor("y", 0, np.array([[low]], dtype), 0.5, 0)
    found = report([(Vector("0", "", (), (output,)), {"y": np.array([[high]], dtype)})])
    assert found.host_lsb == {"y": distance}
