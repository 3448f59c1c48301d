"""Several signatures in one file: each is calibrated, compared and timed, as exact as it is alone."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from recipekit.contracts import Measurement
from recipekit.errors import ConversionError, DatasetError, SourceError
from recipekit.outcome import Outcome
from recipekit.pool import Pool
from tests.built_models import built_once, script_of_models
from tests.e2e.conftest import run_here
from tests.models.candidates import converted_part

pytestmark = pytest.mark.tensorflow

KEYS = ("encode", "decode", "score")
DATASETS = ("representative_dataset", "evaluation.dataset")
OUTPUTS = {"encode/embedding", "decode/y", "decode/rectified", "score/embedding", "score/scores"}
ENGINES = ("tflite_converter", "ai_edge_quantizer")
LEAST_SQNR_DB = {"none": 110.0, "float16": 60.0, "dynamic_range": 30.0, "int8": 30.0, "int16x8": 32.0}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    built = built_once("signature_models", tmp_path_factory)
    return Path(shutil.copytree(built, tmp_path_factory.mktemp("signatures") / "project"))


def write_recipe(project: Path, name: str, **sections: Any) -> None:
    recipe = {"name": name, "version": "1.0.0", "converter": {"quantization": "none"}, **sections}
    (project / "recipes" / f"{name}.yaml").write_text(f"# @package _global_\n{yaml.safe_dump(recipe)}")


def measured(outcome: Outcome) -> Measurement:
    assert outcome.measurement is not None
    return outcome.measurement


def sqnr(measurement: Measurement) -> dict[str, float]:
    return {output: parity.sqnr_db for output, parity in measurement.parity.items()}


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("scheme", LEAST_SQNR_DB)
def test_every_signature_keeps_to_its_float_model(project: Path, pool: Pool, engine: str, scheme: str) -> None:
    ends = {"int8": "int8", "int16x8": "int16"}.get(scheme, "float32")
    converter = f"{{engine: {engine}, quantization: {scheme}, input_type: {ends}, output_type: {ends}}}"
    measurement = measured(run_here(project, pool, "recipe=several", f"converter={converter}"))
    assert sqnr(measurement).keys() == OUTPUTS
    assert min(sqnr(measurement).values()) > LEAST_SQNR_DB[scheme]
    assert [graph.key for graph in measurement.census.signatures or ()] == sorted(KEYS)
    assert {tensor.name: tensor.dtype for tensor in measurement.census.inputs} == {
        "encode/x": ends,
        "decode/embedding": ends,
        "score/x": ends,
    }


def converted_at_once(project: Path, folder: Path, schemes: Sequence[str]) -> dict[str, bytes]:
    """Flatbuffers of the public one call over all signatures, with the recipe's calibration samples."""
    files = {"encode": ("x", 120), "decode": ("embedding", 110), "score": ("x", 120)}
    for key, (name, count) in files.items():
        np.savez(folder / key, allow_pickle=False, **{name: np.load(project / "data" / f"{name}.npz")[name][:count]})
    options = {"allow_float": False, "granularity": "per_channel", "flags": {}}
    ends = {scheme: "int8" if scheme == "int8" else "float32" for scheme in schemes}
    declared = [
        {
            **options,
            "quantization": scheme,
            "input_type": ends[scheme],
            "output_type": ends[scheme],
            "file": str(folder / scheme),
        }
        for scheme in schemes
    ]
    request = {"model": "coder", "signatures": {key: f"{folder / key}.npz" for key in KEYS}, "schemes": declared}
    (folder / "requests.json").write_text(json.dumps([request]))
    script_of_models("one_call", project / "models", folder / "requests.json")
    return {scheme: (folder / scheme).read_bytes() for scheme in schemes}


def test_the_steps_give_the_bytes_of_the_one_call_where_that_is_right(
    project: Path, pool: Pool, tmp_path: Path
) -> None:
    schemes = ("none", "float16", "dynamic_range", "int8")
    for scheme, expected in converted_at_once(project, tmp_path, schemes).items():
        ends = "int8" if scheme == "int8" else "float32"
        converter = f"{{engine: tflite_converter, quantization: {scheme}, input_type: {ends}, output_type: {ends}}}"
        output = Path(run_here(project, pool, "recipe=several", f"converter={converter}").output)
        assert converted_part((output / "model.tflite").read_bytes()) == expected, scheme


@pytest.mark.parametrize("scheme", ["int8", "int16x8"])
def test_a_signature_is_as_exact_beside_others_as_alone(project: Path, pool: Pool, scheme: str) -> None:
    samples = {"plugin": "npz", "path": "data/x.npz", "samples": 120}
    write_recipe(
        project,
        "alone",
        source={"kind": "saved_model", "path": "models/coder", "signature": ["score"]},
        representative_dataset=samples,
        evaluation={"dataset": {"plugin": "npz", "path": "data/test_labelled.npz"}, "benchmark": None},
    )
    together = measured(run_here(project, pool, "recipe=several", f"converter.quantization={scheme}"))
    alone = measured(run_here(project, pool, "recipe=alone", f"converter.quantization={scheme}"))
    assert {output: pytest.approx(decibels, abs=0.01) for output, decibels in sqnr(alone).items()} == {
        output.removeprefix("score/"): decibels
        for output, decibels in sqnr(together).items()
        if output.startswith("score/")
    }
    assert together.float32_size < 1.15 * alone.float32_size  # the encoder's weights are there once


def test_an_output_tells_of_each_signature(project: Path, pool: Pool) -> None:
    outcome = run_here(project, pool, "recipe=several")
    output = Path(outcome.output)
    lines = [json.loads(line) for line in (output / "evaluation.samples.jsonl").read_text().splitlines()]
    assert [line["signature"] for line in lines] == ["encode"] * 40 + ["decode"] * 60 + ["score"] * 60
    measurement = json.loads((output / "results.json").read_text())["measurement"]
    assert {key: part["count"] for key, part in measurement["samples"]["signatures"].items()} == {
        "encode": 40,
        "decode": 60,
        "score": 60,
    }
    assert measurement["signature_latencies"].keys() == set(KEYS)
    total = sum(pair["candidate"]["mean_ms"] for pair in measurement["signature_latencies"].values())
    assert measurement["latency"]["mean_ms"] == pytest.approx(total)
    told = json.dumps(json.loads((output / "manifest.json").read_text())["predicate"]["runDetails"])
    assert all(name in told for name in (*OUTPUTS, "score/top1_accuracy", "signatureLatency"))
    assert {check.name for check in outcome.checks} == {"parity.sqnr_db.min", "task.score/top1_accuracy.max_drop"}
    report = (output / "report.html").read_text()
    assert "Latency p50 of <code>decode</code>" in report
    assert "<code>encode</code>: subgraph" in report


@pytest.mark.parametrize("scheme", ["none", "int8"])
def test_signatures_share_what_the_model_remembers(project: Path, pool: Pool, scheme: str) -> None:
    drawn = {"plugin": "random", "allow_random": True, "inputs": {"x": [4]}, "samples": 8}
    write_recipe(
        project,
        "remembering",
        source={"kind": "saved_model", "path": "models/remembering", "signature": ["add", "scaled"]},
        representative_dataset=drawn,
        evaluation={"dataset": drawn, "benchmark": None},
    )
    measurement = measured(run_here(project, pool, "recipe=remembering", f"converter.quantization={scheme}"))
    assert measurement.samples is not None
    assert measurement.samples.count == 16  # one dataset serves for both
    assert min(sqnr(measurement).values()) > {"none": 300, "int8": 30}[scheme]


def test_a_graph_of_tensorflow_1_gives_several_signatures_with_names_of_their_own(project: Path, pool: Pool) -> None:
    def drawn(name: str) -> dict[str, Any]:
        return {"plugin": "random", "allow_random": True, "inputs": {name: [8]}, "samples": 5}

    write_recipe(
        project,
        "graph",
        source={
            "kind": "saved_model",
            "path": "models/graph",
            "signature": ["normalize", "project"],
            "input_shapes": {"project/feed/x": [1, 8]},
        },
        evaluation={"dataset": {"signatures": {"normalize": drawn("class"), "project": drawn("feed/x")}}},
    )
    measurement = measured(run_here(project, pool, "recipe=graph"))
    assert {tensor.name: tensor.shape for tensor in measurement.census.inputs} == {
        "normalize/class": (-1, 8),
        "project/feed/x": (1, 8),
    }
    assert min(sqnr(measurement).values()) > 110


def test_a_signature_that_the_model_lacks_is_answered_with_the_nearest(project: Path, pool: Pool) -> None:
    source = "{kind: saved_model, path: models/coder, signature: [encode, decode, score, decoder]}"
    more = [f"+{place}.signatures.decoder={{plugin: npz, path: data/x.npz}}" for place in DATASETS]
    with pytest.raises(SourceError, match=r"has no signature 'decoder'; did you mean 'decode'\?") as caught:
        run_here(project, pool, "recipe=several", f"source={source}", *more)
    assert caught.value.fix == "set source.signature to one of decode, encode, score"


def test_a_sample_that_does_not_fit_is_told_with_its_signature(project: Path, pool: Pool) -> None:
    with pytest.raises(DatasetError, match="lacks the input 'embedding'") as caught:
        run_here(project, pool, "recipe=several", "evaluation.dataset.signatures.decode.path=data/test_x.npz")
    assert caught.value.where.startswith("evaluation.dataset.signatures.decode: npz sample 0")
    with pytest.raises(DatasetError, match="expected 4000, got 60") as caught:
        run_here(project, pool, "recipe=several", "evaluation.dataset.signatures.encode.samples=4000")
    assert caught.value.where == "evaluation.dataset: encode: npz"


def test_the_one_call_is_not_taken_where_it_gives_wrong_numbers(project: Path, pool: Pool) -> None:
    flags = "+converter.flags.exclude_conversion_metadata=false"  # the steps do without
    assert min(sqnr(measured(run_here(project, pool, "recipe=several", flags))).values()) > LEAST_SQNR_DB["int8"]
    with pytest.raises(ConversionError, match="weights that signatures share"):
        run_here(project, pool, "recipe=several", flags, "converter.quantization=int16x8")
