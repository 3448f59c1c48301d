"""Outputs as a run publishes them, without a conversion: every record is real and agrees with the others."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from recipekit import digests, publication
from recipekit import manifest as manifests
from recipekit.build import Job
from recipekit.contracts import (
    BUILD_KEY_PLACEHOLDER,
    Census,
    Flatbuffer,
    Latency,
    LoadedModel,
    Measurement,
    PairedCounts,
    Parity,
    QuantizedTensor,
    SampleSet,
    Signature,
    TaskScore,
)
from recipekit.gate import judge
from recipekit.manifest import Dependency, RecipeIdentity
from recipekit.outcome import StageReport
from recipekit.outputs import Outputs
from recipekit.project import Project
from recipekit.publication import Build
from recipekit.recipe import parse
from tests.small_builds import INPUTS, STARTED

KEY_OFFSET = 1024
MODEL = bytes(range(256)) * 4 + BUILD_KEY_PLACEHOLDER + (bytes(range(256)) * 4)[64:]
SAMPLES = b'{"id": "0"}\n{"id": "1"}\n'
CALIBRATION = b'{"id": "2"}\n{"id": "3"}\n'

RECIPE: dict[str, Any] = {
    "name": "digits",
    "version": "1.0.0",
    "source": {"kind": "keras", "path": "m.keras"},
    "representative_dataset": {"plugin": "digits"},
    "converter": {"quantization": "int8"},
    "evaluation": {"dataset": {"plugin": "digits"}, "metrics": {"top1_accuracy": {}}},
    "acceptance": {
        "parity": {"sqnr_db": {"min": 15}, "argmax_agreement": {"min": 0.9}},
        "task": {"top1_accuracy": {"max_drop": 0.05}},
        "size": {"bytes": {"max": 4096}, "ratio": {"max": 0.4}},
        "model": {"select_tf_ops": False},
    },
}

MEASUREMENT = Measurement(
    samples=SampleSet(path="evaluation.jsonl", sha256=digests.of_bytes(SAMPLES), count=2, labelled=True),
    parity={
        "logits": Parity(
            max_abs_error=0.25,
            mean_abs_error=0.05,
            rmse=0.08,
            l2=0.3,
            cosine_similarity=0.99,
            sqnr_db=20.25,
            argmax_agreement=0.97,
            agreeing=97,
            rows=100,
        )
    },
    task={
        "top1_accuracy": TaskScore(
            float_value=0.97,
            converted_value=0.95,
            higher_is_better=True,
            paired=PairedCounts(both=940, only_float=30, only_converted=10, neither=20),
        )
    },
    size=len(MODEL),
    float32_size=8000,
    latency=Latency(p50_ms=6.0, p90_ms=7.5, mean_ms=6.5),
    float32_latency=Latency(p50_ms=5.0, p90_ms=6.0, mean_ms=5.5),
    census=Census(
        inputs=(QuantizedTensor(name="image", dtype="int8", shape=(1, 8, 8, 1), scale=0.1, zero_point=3),),
        outputs=(QuantizedTensor(name="logits", dtype="float32", shape=(1, 10)),),
        operators=(),
        float_ops=0,
        float_op_names=(),
        custom_ops=(),
        select_tf_ops=(),
        subgraphs=1,
        tensors=9,
        min_runtime_version="2.17.0",
    ),
)


def publish(project: Path, seed: int = 0, *, sqnr_db: float = 20.25, acceptance: Any = None) -> Path:
    """Publishes an output of a project; it is rejected below 15 dB, unless other bounds are given."""
    build = finished_build(project, seed, sqnr_db=sqnr_db, acceptance=acceptance)
    publication.publish(build, replace=False)
    return folder_of(build)


def folder_of(build: Build) -> Path:
    """Where a build's output belongs."""
    recipe = build.job.recipe
    return Outputs(build.job.project.outputs).folder(recipe.name, recipe.version, build.key)


def finished_build(project: Path, seed: int = 0, *, sqnr_db: float = 20.25, acceptance: Any = None) -> Build:
    """A build of a project that waits to be published."""
    mapping = {**RECIPE, "seed": seed, "acceptance": RECIPE["acceptance"] if acceptance is None else acceptance}
    recipe = parse(mapping, project, lambda _: "")
    recipes = project / "recipes"
    recipes.mkdir(parents=True, exist_ok=True)
    place = Project(root=project, recipes=recipes, outputs=project / "outputs")
    (project / "candidate").write_bytes(MODEL)
    (project / "load.txt").write_text("loaded\n")
    samples = {}
    for role, data in (("calibration-samples", CALIBRATION), ("evaluation-samples", SAMPLES)):
        path = project / f"{role}.jsonl"
        path.write_bytes(data)
        samples[role] = SampleSet(path=str(path), sha256=digests.of_bytes(data), count=2, labelled=True)
    dependencies = [Dependency.of_samples(role, role, read.sha256, read.count) for role, read in samples.items()]
    identity = RecipeIdentity(recipe.name, recipe.version, "recipes/digits.yaml", "7" * 64, 1)
    inputs = replace(INPUTS, recipe=identity, resolved_config=recipe.resolved, dependencies=dependencies)
    definition = manifests.build_definition(inputs)
    key = manifests.build_key(definition)
    logits = MEASUREMENT.parity["logits"]
    measurement = msgspec.structs.replace(
        MEASUREMENT, parity={"logits": msgspec.structs.replace(logits, sqnr_db=sqnr_db)}
    )
    return Build(
        job=Job(place, recipe, "digits", (), recipes / "digits.yaml", ()),
        definition=definition,
        key=key,
        started=STARTED,
        loaded=LoadedModel(
            saved_model="",
            signatures={"": Signature(inputs=(), outputs=())},
            loader="keras3",
            reason="it is",
        ),
        candidate=Flatbuffer(
            path=str(project / "candidate"),
            sha256=digests.of_bytes(MODEL),
            size=len(MODEL),
            build_key_offset=KEY_OFFSET,
        ),
        layers=(),
        samples=samples,
        measurement=measurement,
        verdict=judge(recipe.acceptance, measurement),
        stages=(StageReport(name="load", seconds=1.25, found=False),),
        logs={"load": project / "load.txt"},
        sweep=None,
        warnings=(),
    )


def forge(folder: Path, edit: Callable[[dict[str, Any], dict[str, Any]], None], *, rekeyed: bool = False) -> None:
    """Edits an output's manifest and results, and computes every digest anew, as somebody would who wants to deceive.

    Args:
        folder: of the output.
        edit: is given both and changes them.
        rekeyed: whether the build key is computed anew, too, and the folder left with the old one.
    """
    manifest = json.loads((folder / manifests.FILE).read_text())
    results = json.loads((folder / manifests.RESULTS).read_text())
    edit(manifest, results)
    definition = manifest["predicate"]["buildDefinition"]
    entries = [*manifest["subject"], *manifest["predicate"]["runDetails"]["byproducts"]]
    if rekeyed:
        parameters = definition["externalParameters"]
        parameters["configDigest"] = digests.of_json(parameters["resolvedConfig"])
        key = manifests.build_key(definition)
        manifests.results(manifest)["buildKey"] = results["build_key"] = key
    (folder / manifests.RESULTS).write_text(digests.pretty_json(results))
    for entry in entries:
        path = folder / entry["name"]
        entry["digest"]["sha256"] = digests.of_file(path)
        entry["annotations"]["size"] = path.stat().st_size
    (folder / manifests.FILE).write_bytes(manifests.encode(manifest))


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with one accepted output; not to be written into."""
    project = tmp_path_factory.mktemp("published")
    publish(project)
    return project


@pytest.fixture
def output(published: Path, tmp_path: Path) -> Path:
    """The output in a copy of the project."""
    project = shutil.copytree(published, tmp_path / "project", symlinks=True)
    return (project / "outputs" / "digits" / "latest").resolve()
