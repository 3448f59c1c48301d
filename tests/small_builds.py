"""Builds without any conversion, for the tests of manifests and outputs."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from recipekit import manifest as manifests
from recipekit.environment import Environment, Package
from recipekit.manifest import Artifact, BuildInputs, Dependency, RecipeIdentity, RunDetails, Sweep, Toolchain

STARTED = datetime(2026, 1, 2, 3, 4, 5, 678_900, timezone(timedelta(hours=2)))

ENVIRONMENT = Environment(
    recipekit={"version": "0.1.0", "sourceDigest": "1" * 64},
    python={"implementation": "CPython", "version": "3.11.7", "abi": "cp311"},
    platform={"system": "Linux", "machine": "x86_64", "libc": "glibc 2.36", "cpuFeatures": ["avx2", "fma"]},
    variables={"TF_ENABLE_ONEDNN_OPTS": "0"},
    packages=(Package("tensorflow", "2.21.0+cpu", "2" * 64, "RECORD"), Package("numpy", "2.4.6", "3" * 64, "METADATA")),
)

DEPENDENCIES = (
    Dependency("recipe-repo", "recipe-repo", {"gitCommit": "a" * 40}, annotations={"dirty": True}),
    Dependency("recipe-file", "converter/int8.yaml", {"sha256": "4" * 64}, "file:recipes/converter/int8.yaml"),
    Dependency("model-source", "model", {"dirHash1": "5" * 64}, "file:models/m", {"files": 7, "bytes": 123}),
    Dependency.of_samples("calibration-samples", "digits", "6" * 64, 200),
)

INPUTS = BuildInputs(
    recipe=RecipeIdentity("digits", "1.0.0", "recipes/digits.yaml", "7" * 64, 1),
    overrides=("seed=7",),
    resolved_config={"seed": 7, "converter": {"quantization": "int8"}, "acceptance": {"task": {"top1": {"min": 0.9}}}},
    seeds={"recipe": 7, "calibration": 2**64 - 1},
    toolchain=Toolchain("tf.lite.TFLiteConverter", {"optimizations": ["DEFAULT"]}, {"ops": True}, {"intra_op": 1}),
    dependencies=DEPENDENCIES,
    environment=ENVIRONMENT,
)


def inputs_of_seed(seed: int) -> BuildInputs:
    """Inputs that differ from others by their seed, and so by their build key."""
    return replace(INPUTS, resolved_config={**INPUTS.resolved_config, "seed": seed}, seeds={"recipe": seed})


def key_of_seed(seed: int) -> str:
    return manifests.build_key(manifests.build_definition(inputs_of_seed(seed)))


def run_details(results: Artifact, verdict: str = "accepted", **changes: Any) -> RunDetails:
    details = RunDetails(
        invocation_id="0f0c",
        started=STARTED,
        finished=STARTED + timedelta(seconds=41),
        results=results,
        verdict=verdict,
        metrics={"top1_accuracy": 0.96, "parity": {"logits": {"sqnr_db": 31.5}}},
        checks=[{"name": "task.top1_accuracy.min", "limit": 0.9, "value": 0.96, "passed": True}],
        timings_seconds={"convert": 41.2},
    )
    return replace(details, **changes)


def write_output(folder: Path, seed: int = 7, model: bytes = b"model", verdict: str = "accepted", age: int = 0) -> None:
    """Fills a folder with a whole output; `age` is how many seconds before the others it was finished."""
    (folder / "logs").mkdir()
    (folder / "logs" / "run.log").write_text("converted\n")
    (folder / "model.tflite").write_bytes(model)
    (folder / manifests.RESULTS).write_text(json.dumps({"verdict": verdict}))
    run = run_details(
        Artifact.of(folder, manifests.RESULTS),
        verdict,
        finished=STARTED - timedelta(seconds=age),
        byproducts=[Artifact.of(folder, "logs/run.log")],
        sweep=Sweep("s1", 3),
    )
    definition = manifests.build_definition(inputs_of_seed(seed))
    statement = manifests.statement(definition, [Artifact.of(folder, "model.tflite")], run)
    (folder / manifests.FILE).write_bytes(manifests.encode(statement))
