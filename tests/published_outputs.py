"""Whole outputs with a real model and real results, made without any conversion."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec

from recipekit import digests, manifest
from recipekit.acceptance import Check
from recipekit.contracts import (
    Flatbuffer,
    Latency,
    Measurement,
    PairedCounts,
    Parity,
    SampleSet,
    TargetReport,
    TaskScore,
)
from recipekit.manifest import Artifact, BuildInputs
from recipekit.worker import census
from recipekit.worker.build_key_place import write_with_place
from tests.models import built_flatbuffers as built
from tests.small_builds import INPUTS, run_details

PARITY = Parity(
    max_abs_error=0.25,
    mean_abs_error=0.01,
    rmse=0.02,
    l2=0.1,
    cosine_similarity=0.999,
    sqnr_db=31.5,
    argmax_agreement=0.98,
    agreeing=98,
    rows=100,
)
SCORE = TaskScore(
    float_value=0.97,
    converted_value=0.96,
    higher_is_better=True,
    paired=PairedCounts(both=95, only_float=2, only_converted=1, neither=2),
)
TARGET = TargetReport(
    compiler="vela 5.2.0",
    accelerator="Ethos_U55_128",
    system_config="Ethos_U55_High_End_Embedded",
    memory_mode="Shared_Sram",
    size=7_000,
    sram_kib=51.5,
    dram_kib=0,
    on_chip_flash_kib=0,
    off_chip_flash_kib=1234.25,
    inference_ms=0.4375,
    cycles=218_750,
    macs=1_000_000,
    npu_operators=12,
    cpu_operators=2,
    cpu_operator_names=("GATHER", "SOFTMAX"),
)
CHECKS = (
    Check(name="parity.sqnr_db.min", limit=25.0, value=31.5, margin=6.5, verdict="pass"),
    Check(
        name="task.top1_accuracy.max_drop",
        limit=0.01,
        value=0.01,
        margin=0.0,
        verdict="inconclusive",
        interval=(-0.03, 0.06),
        detail="the interval holds the limit",
    ),
    Check(name="model.select_tf_ops", limit=False, value=False, margin=None, verdict="pass"),
)


@dataclass(frozen=True)
class Output:
    """What an output is made of; fields of interest are replaced by the tests."""

    inputs: BuildInputs = INPUTS
    model: bytes = built.classifier()
    verdict: str = "accepted"
    parity: Parity = PARITY
    score: TaskScore = SCORE
    checks: tuple[Check, ...] = CHECKS
    measured: bool = True
    target: TargetReport | None = None

    def with_config(self, **changes: Any) -> Output:
        """With some sections of the configuration replaced."""
        config = {**self.inputs.resolved_config, **changes}
        return replace(self, inputs=replace(self.inputs, resolved_config=config))

    def measurement(self, candidate: Flatbuffer) -> Measurement:
        taken = census.take(Path(candidate.path))
        if not self.measured:
            return Measurement(
                samples=None,
                not_run="evaluation.runtime is none",
                parity={},
                task={},
                size=candidate.size,
                float32_size=20_000,
                census=taken,
            )
        return Measurement(
            samples=SampleSet(path="evaluation.samples.jsonl", sha256="e" * 64, count=100, labelled=True),
            parity={"scores": self.parity},
            task={"top1_accuracy": self.score},
            size=candidate.size,
            float32_size=20_000,
            census=taken,
            latency=Latency(p50_ms=0.25, p90_ms=0.5, mean_ms=0.375),
            float32_latency=Latency(p50_ms=0.5, p90_ms=1.0, mean_ms=0.75),
            target=self.target or msgspec.UNSET,
        )


def publish(root: Path, output: Output = Output()) -> Path:
    """Writes an output below an outputs folder; returns its own folder."""
    definition = manifest.build_definition(output.inputs)
    key = manifest.build_key(definition)
    recipe = output.inputs.recipe
    folder = root / recipe.name / recipe.version / key[:12]
    folder.mkdir(parents=True)
    candidate = write_with_place(output.model, folder / "model.tflite")
    assert candidate.build_key_offset is not None
    content = bytearray((folder / "model.tflite").read_bytes())
    content[candidate.build_key_offset : candidate.build_key_offset + 64] = key.encode()
    (folder / "model.tflite").write_bytes(content)
    results: Mapping[str, Any] = {
        "schema": 1,
        "name": recipe.name,
        "version": recipe.version,
        "build_key": key,
        "verdict": output.verdict,
        "checks": msgspec.to_builtins(output.checks),
        "measurement": msgspec.to_builtins(output.measurement(candidate)),
        "stages": [
            {"name": "load", "seconds": 1.5, "found": False},
            {"name": "quantize", "seconds": 0.5, "found": True},
        ],
        "warnings": [],
    }
    (folder / manifest.RESULTS).write_text(digests.pretty_json(results), encoding="utf-8")
    details = run_details(Artifact.of(folder, manifest.RESULTS), output.verdict)
    statement = manifest.statement(definition, [Artifact.of(folder, "model.tflite")], details)
    (folder / manifest.FILE).write_bytes(manifest.encode(statement))
    return folder
