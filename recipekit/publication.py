"""Writes the files of an output, its manifest last, and reads them back as the outcome of a build."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import datetime, timezone
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import yaml
from msgspec import UNSET

from recipekit import digests, fsio, manifest
from recipekit.acceptance import Check, Verdict
from recipekit.artifacts import Artifacts, Published, write_artifacts, write_with_key
from recipekit.build import Job
from recipekit.contracts import (
    Flatbuffer,
    Illustrations,
    LoadedModel,
    LoweredLayer,
    Measurement,
    Record,
    SampleSet,
)
from recipekit.errors import OutputAltered
from recipekit.outcome import Outcome, StageReport
from recipekit.outputs import Outputs
from recipekit.report import Making, render_run

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_Dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)

RESULTS_SCHEMA = 1
"""Version of the shape of `results.json`."""

DIFF = "repository.diff"
"""The file that holds the project's uncommitted changes, for `git apply`."""


class Build(NamedTuple):
    """A finished build, about to be written.

    Attributes:
        job: what was built.
        definition: its build definition.
        key: its build key.
        started: when the run began.
        loaded: the float model.
        candidate: the converted model.
        layers: what became of the Keras model's layers.
        samples: readings by role.
        measurement: of the candidate.
        verdict: the gate's.
        stages: what became of each stage.
        logs: log files by stage.
        sweep: the sweep that it is a child of.
        warnings: the recipe's own, then those of the linter.
        artifacts: what there is to write beside the model.
        diff: what was changed in the project since its commit; empty for nothing, or where it is withheld.
        figures: the drawings of its report; None for none.
        missing_figures: what of them could not be drawn, a sentence each.
    """

    job: Job
    definition: dict[str, Any]
    key: str
    started: datetime
    loaded: LoadedModel
    candidate: Flatbuffer
    layers: tuple[LoweredLayer, ...]
    samples: Mapping[str, SampleSet]
    measurement: Measurement
    verdict: Verdict
    stages: tuple[StageReport, ...]
    logs: Mapping[str, Path]
    sweep: manifest.Sweep | None
    warnings: tuple[str, ...]
    artifacts: Artifacts = Artifacts()
    diff: bytes = b""
    figures: Illustrations | None = None
    missing_figures: tuple[str, ...] = ()


def publish(build: Build, *, replace: bool) -> None:
    """Writes an output beside all others and makes it visible in one step.

    Args:
        build: what is published.
        replace: whether an output that is there already gives way.

    Raises:
        OutputFault: something is there and may not be replaced, or the file system refused.
        InternalError: the staged folder isn't what its manifest says.
    """
    recipe, outputs, size = build.job.recipe, Outputs(build.job.project.outputs), build.measurement.size
    with outputs.stage(needed=2 * size + build.artifacts.bytes_beside(size)) as staged:
        write_output(staged, build)
        outputs.publish(staged, recipe.name, recipe.version, build.key, replace=replace)


def write_output(folder: Path, build: Build) -> None:
    """Writes every file of an output into an empty folder, the manifest last; publishing waits for the disk.

    Raises:
        OSError: the file system refused.
    """
    candidate, recipe = build.candidate, build.job.recipe
    model = write_with_key(folder / manifest.MODEL, candidate.path, candidate.build_key_offset, build.key)
    published = Published(recipe.name, recipe.version, build.key, build.measurement.census.operators)
    beside = write_artifacts(folder, build.artifacts, published)
    results = _results(build)
    recipe_yaml = as_yaml(recipe.resolved)
    report = render_run(results, recipe_yaml, _making(build), build.figures, build.missing_figures)
    texts = {manifest.RECIPE: recipe_yaml.encode(), manifest.REPORT: report.encode()}
    if build.diff:
        texts[DIFF] = build.diff
    if build.logs:
        (folder / "logs").mkdir()
    copies = {samples_file(role): Path(read.path) for role, read in build.samples.items()}
    copies |= {f"logs/{stage}.txt": log for stage, log in build.logs.items()}
    byproducts = {
        **{name: fsio.write_digested(folder / name, [text]) for name, text in texts.items()},
        **{name: fsio.write_digested(folder / name, fsio.read_parts(source)) for name, source in copies.items()},
    }
    recorded = fsio.write_digested(folder / manifest.RESULTS, [digests.pretty_json(results).encode()])
    run = manifest.RunDetails(
        invocation_id=folder.parent.name,
        started=build.started,
        finished=datetime.now(timezone.utc),
        results=manifest.Artifact(manifest.RESULTS, *recorded),
        verdict=build.verdict.status,
        metrics=recorded_metrics(build.measurement),
        checks=[recorded_check(check) for check in build.verdict.checks],
        timings_seconds={stage.name: stage.seconds for stage in build.stages},
        byproducts=[manifest.Artifact(name, *written) for name, written in byproducts.items()],
        sweep=build.sweep,
    )
    artifacts = [manifest.Artifact(manifest.MODEL, *model)]
    artifacts += [manifest.Artifact.of(folder, name) for name in beside]
    statement = manifest.statement(build.definition, artifacts, run, build.key)
    (folder / manifest.FILE).write_bytes(manifest.encode(statement))


def _making(build: Build) -> Making:
    job = build.job
    folder = Outputs(job.project.outputs).folder(job.recipe.name, job.recipe.version, build.key)
    shown = folder.relative_to(job.project.root) if folder.is_relative_to(job.project.root) else Path(folder.name)
    return Making(
        definition=build.definition,
        recipe=job.origins(),
        output=shown.as_posix(),
        option=job.option,
        started=build.started,
    )


def read_outcome(folder: Path, job: Job, seconds: float, number: int) -> Outcome:
    """The outcome that a published output records, as found by a run that built nothing."""
    results = msgspec.json.decode((folder / manifest.RESULTS).read_bytes())
    return Outcome(
        recipe=job.option,
        overrides=job.overrides,
        number=number,
        status=results["verdict"],
        seconds=seconds,
        name=results["name"],
        version=results["version"],
        build_key=results["build_key"],
        output=str(folder),
        already_built=True,
        checks=msgspec.convert(results["checks"], tuple[Check, ...]),
        measurement=msgspec.convert(results["measurement"], Measurement),
        warnings=tuple(results["warnings"]),
    )


def as_yaml(resolved: Mapping[str, Any]) -> str:
    """A resolved recipe as `recipe.yaml` holds it."""
    return "".join(_section(msgspec.json.encode({key: value})) for key, value in resolved.items())


@lru_cache(maxsize=64)
def _section(section: bytes) -> str:
    """A section of a recipe as YAML, given as JSON; the children of a sweep have most of them in common."""
    text: str = yaml.dump(msgspec.json.decode(section), Dumper=_Dumper, sort_keys=False, allow_unicode=True)
    return text


def _results(build: Build) -> dict[str, Any]:
    recipe = build.job.recipe
    samples = build.measurement.samples
    if samples is not None:
        samples = _published(samples, samples_file("evaluation-samples"))
    return {
        "schema": RESULTS_SCHEMA,
        "name": recipe.name,
        "version": recipe.version,
        "build_key": build.key,
        "verdict": build.verdict.status,
        "checks": msgspec.to_builtins(build.verdict.checks),
        "measurement": msgspec.to_builtins(msgspec.structs.replace(build.measurement, samples=samples)),
        "model": {
            "loader": build.loaded.loader,
            "reason": build.loaded.reason,
            "parameters": build.loaded.parameters,
            "replaced": msgspec.to_builtins(build.loaded.replaced),
            "replacement_sqnr_db": build.loaded.replacement_sqnr_db,
            "unsafe_parts": list(build.loaded.unsafe_parts),
        },
        "conversion": {"sha256": build.candidate.sha256, "build_key_offset": build.candidate.build_key_offset},
        "layers": msgspec.to_builtins(build.layers),
        "stages": [_stage(stage) for stage in build.stages],
        "processors": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "warnings": list(build.warnings),
    }


def _published(samples: SampleSet, file: str) -> SampleSet:
    """The record of a reading as the output holds it: one file, whose lines say which signature each sample is for."""
    if samples.signatures is UNSET:
        return msgspec.structs.replace(samples, path=file)
    parts = {key: _published(part, file) for key, part in samples.signatures.items()}
    return msgspec.structs.replace(samples, path=file, signatures=parts)


def samples_file(role: str) -> str:
    """The file of an output that lists the samples of a reading, by its role."""
    return f"{role.removesuffix('-samples')}.samples.jsonl"


def _stage(stage: StageReport) -> dict[str, Any]:
    files = {"files": stage.files} if stage.files else {}
    return {"name": stage.name, "seconds": stage.seconds, "found": stage.found, **files}


def recorded_check(check: Check) -> dict[str, Any]:
    """A check as the manifest records it."""
    entry = {key: value for key, value in msgspec.to_builtins(check).items() if value not in {None, ""}}
    passed = None if check.verdict == "not-judged" else check.verdict == "pass"
    return {**entry, "limit": check.limit, "value": check.value, "passed": passed}


def recorded_metrics(measurement: Measurement) -> dict[str, Any]:
    """What was measured, as the manifest records it."""
    task = {
        name: {"float": score.float_value, "converted": score.converted_value}
        for name, score in measurement.task.items()
    }
    latency = {} if measurement.latency is None else {"latency": msgspec.to_builtins(measurement.latency)}
    if measurement.signature_latencies is not UNSET:
        pairs = measurement.signature_latencies.items()
        latency["signatureLatency"] = {key: msgspec.to_builtins(pair.candidate) for key, pair in pairs}
    parity = {
        output: {name: value for name, value in msgspec.to_builtins(values).items() if value is not None}
        for output, values in measurement.parity.items()
    }
    size = {"bytes": measurement.size, "float32Bytes": measurement.float32_size}
    not_run = {"notRun": measurement.not_run} if measurement.not_run else {}
    target = {} if measurement.target is UNSET else {"target": _numbers(measurement.target)}
    golden = {} if measurement.golden_vectors is UNSET else {"goldenVectors": _numbers(measurement.golden_vectors)}
    return {"parity": parity, "task": task, "size": size, **latency, **not_run, **target, **golden}


def _numbers(record: Record) -> dict[str, Any]:
    """The fields of a record that hold numbers, or mappings of them; names are for `results.json`."""
    return {key: value for key, value in msgspec.to_builtins(record).items() if isinstance(value, int | float | dict)}


def read_recipe(folder: Path) -> Any:
    """The value that an output's `recipe.yaml` holds.

    Raises:
        OutputAltered: it isn't YAML, or asks for more than plain values.
        OSError: it can't be read.
    """
    path = folder / manifest.RECIPE
    try:
        return yaml.load(path.read_bytes(), Loader=_Loader)  # noqa: S506  one of the two safe loaders
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise OutputAltered(f"is not readable: {' '.join(str(error).split())}", where=str(path)) from error
