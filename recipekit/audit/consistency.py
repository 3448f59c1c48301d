"""Whether the records of an output agree with each other, and the verdict with what was measured.

Digests prove nothing once somebody has edited the manifest, since they can be computed anew. But the records say the
same things several times, and the gate can judge the recorded measurement again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from recipekit import digests
from recipekit import manifest as manifests
from recipekit.acceptance import Check, Verdict
from recipekit.contracts import BUILD_KEY_PLACEHOLDER, Measurement
from recipekit.errors import EvaluationError, OutputAltered
from recipekit.gate import judge
from recipekit.outputs import Difference
from recipekit.publication import RESULTS_SCHEMA, read_recipe, recorded_check, recorded_metrics, samples_file
from recipekit.recipe import read_acceptance

_SAMPLES = ("calibration-samples", "evaluation-samples")
_MOST_SHOWN = 300


class _Stage(msgspec.Struct):
    """What `results.json` says of a stage, as far as it is looked at."""

    name: str
    seconds: float


class _Conversion(msgspec.Struct):
    """What `results.json` says of the converted file, as far as it is looked at."""

    build_key_offset: int | None = None


class _Results(msgspec.Struct):
    """What `results.json` says, as far as it is looked at."""

    schema: int
    name: str
    version: str
    build_key: str
    verdict: str
    checks: tuple[Check, ...]
    measurement: Measurement
    stages: tuple[_Stage, ...]
    conversion: _Conversion = msgspec.field(default_factory=_Conversion)


def contradictions(folder: Path, manifest: dict[str, Any], altered: Iterable[str]) -> Iterator[Difference]:
    """Everything that the records of an output contradict each other in.

    Args:
        folder: of the output.
        manifest: its manifest, a valid one.
        altered: files that aren't what the manifest says, and aren't looked into.

    Raises:
        OSError: a file can't be read.
    """
    there = manifests.recorded_files(manifest).keys() - set(altered)
    yield from _place(folder, manifest)
    yield from _identity(manifest)
    yield from _samples(manifest)
    if manifests.RECIPE in there:
        yield from _recipe(folder, manifest)
    if manifests.RESULTS in there:
        try:
            results = manifests.strict_json((folder / manifests.RESULTS).read_bytes().decode())
        except (ValueError, RecursionError) as error:
            yield Difference(place=manifests.RESULTS, problem=f"is not valid JSON: {error}")
            return
        yield from judgement_contradictions(manifest, results)
        if manifests.MODEL in there:
            yield from _provenance(folder, manifest, results)


def judgement_contradictions(manifest: dict[str, Any], results: Any) -> Iterator[Difference]:
    """What a manifest, the results and the gate disagree in; pure.

    Args:
        manifest: a valid one.
        results: the value that `results.json` holds; anything at all.
    """
    try:
        said = msgspec.convert(results, _Results)
    except msgspec.ValidationError as error:
        yield Difference(place=manifests.RESULTS, problem=f"is not what recipekit writes: {error}")
        return
    recorded = manifests.results(manifest)
    recipe = manifest["predicate"]["buildDefinition"]["externalParameters"]["recipe"]
    yield from _differ(f"{manifests.RESULTS} schema", RESULTS_SCHEMA, said.schema)
    yield from _differ(f"{manifests.RESULTS} name", recipe["name"], said.name)
    yield from _differ(f"{manifests.RESULTS} version", recipe["version"], said.version)
    yield from _differ(f"{manifests.RESULTS} build_key", recorded["buildKey"], said.build_key)
    timings = {stage.name: stage.seconds for stage in said.stages}
    yield from _differ(f"{manifests.FILE} timingsSeconds", timings, recorded["timingsSeconds"])
    yield from _differ(f"{manifests.FILE} metrics", recorded_metrics(said.measurement), recorded["metrics"])
    yield from _measured(manifest, said.measurement)
    yield from _judged(manifest, said)


def _judged(manifest: dict[str, Any], said: _Results) -> Iterator[Difference]:
    """The verdict and its checks, in both files, against what the gate says of the same measurement and bounds."""
    resolved = manifest["predicate"]["buildDefinition"]["externalParameters"]["resolvedConfig"]
    try:
        again = judge(read_acceptance(resolved), said.measurement)
    except EvaluationError as error:
        yield Difference(place="verdict", problem=f"can't be recomputed: {error.what}")
        return
    except (ArithmeticError, KeyError, TypeError, ValueError) as error:
        yield Difference(place="verdict", problem=f"can't be recomputed: {type(error).__name__}: {error}")
        return
    recorded = manifests.results(manifest)
    for file, verdict in ((manifests.FILE, recorded["verdict"]), (manifests.RESULTS, said.verdict)):
        yield from _differ(f"{file} verdict", again.status, verdict)
    yield from _compared(manifests.RESULTS, again, {check.name: check for check in said.checks}, lambda check: check)
    found = {check["name"]: check for check in recorded["checks"]}
    yield from _compared(manifests.FILE, again, found, lambda check: _as_json(recorded_check(check)))
    for file, number in ((manifests.RESULTS, len(said.checks)), (manifests.FILE, len(recorded["checks"]))):
        if number != len(again.checks):
            yield Difference(place=f"{file} checks", expected=f"{len(again.checks)} of them", got=str(number))


def _compared(
    file: str, again: Verdict, found: Mapping[str, Any], written: Callable[[Check], Any]
) -> Iterator[Difference]:
    """Each check of a recomputed verdict against the one of its name in a file."""
    for check in again.checks:
        yield from _differ(f"{file} check {check.name}", written(check), found.get(check.name))


def _measured(manifest: dict[str, Any], measurement: Measurement) -> Iterator[Difference]:
    """The candidate and the samples that the measurement speaks of are those of the output."""
    files = manifests.recorded_files(manifest)
    if manifests.MODEL in files:
        yield from _differ(f"{manifests.RESULTS} measurement.size", files[manifests.MODEL][1], measurement.size)
    evaluated = files.get(samples_file("evaluation-samples"))
    if evaluated is not None and measurement.samples is not None:
        yield from _differ(f"{manifests.RESULTS} measurement.samples", evaluated[0], measurement.samples.sha256)


def _provenance(folder: Path, manifest: dict[str, Any], results: Any) -> Iterator[Difference]:
    """The model carries the build key of its manifest, where it carries one."""
    try:
        offset = msgspec.convert(results, _Results).conversion.build_key_offset
    except msgspec.ValidationError:
        return  # which has been told
    if offset is not None and offset >= 0:
        with (folder / manifests.MODEL).open("rb") as stream:
            stream.seek(offset)
            carried = stream.read(len(BUILD_KEY_PLACEHOLDER)).decode(errors="replace")
        yield from _differ(f"{manifests.MODEL} build key", manifests.results(manifest)["buildKey"], carried)


def _samples(manifest: dict[str, Any]) -> Iterator[Difference]:
    """The samples that a build depends on are those whose list lies in its output."""
    files = manifests.recorded_files(manifest)
    for dependency in manifest["predicate"]["buildDefinition"]["resolvedDependencies"]:
        name = samples_file(role) if (role := dependency["annotations"]["role"]) in _SAMPLES else ""
        if name in files:
            yield from _differ(f"{name} sha256", dependency["digest"].get("sha256"), files[name][0])


def _recipe(folder: Path, manifest: dict[str, Any]) -> Iterator[Difference]:
    """`recipe.yaml` is the configuration that the manifest resolves to."""
    parameters = manifest["predicate"]["buildDefinition"]["externalParameters"]
    expected = f"the resolved configuration, {parameters['configDigest']}"
    try:
        written = read_recipe(folder)
    except OutputAltered as error:
        yield Difference(place=manifests.RECIPE, problem=error.what)
        return
    # Equality first: of two equal values neither is larger than the other, so that the digest takes no longer.
    if written != parameters["resolvedConfig"] or digests.of_json(written) != parameters["configDigest"]:
        yield Difference(place=manifests.RECIPE, expected=expected, got="another one")


def _identity(manifest: dict[str, Any]) -> Iterator[Difference]:
    """The recipe that the manifest names is the one that it resolves to."""
    parameters = manifest["predicate"]["buildDefinition"]["externalParameters"]
    for key in ("name", "version"):
        yield from _differ(
            f"{manifests.FILE} recipe.{key}", parameters["resolvedConfig"].get(key), parameters["recipe"][key]
        )


def _place(folder: Path, manifest: dict[str, Any]) -> Iterator[Difference]:
    """A folder that is named like an output is named after its own build key."""
    key = manifests.results(manifest)["buildKey"][:12]
    if len(folder.name) == len(key) and set(folder.name) <= set("0123456789abcdef"):
        yield from _differ("the folder's name", key, folder.name)


def _differ(place: str, expected: Any, got: Any) -> Iterator[Difference]:
    if expected != got:
        yield Difference(place=place, expected=_shown(expected), got=_shown(got))


def _as_json(value: Any) -> Any:
    """A value as it comes back from a file: tuples are lists there."""
    return msgspec.json.decode(msgspec.json.encode(value))


def _shown(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(msgspec.to_builtins(value), ensure_ascii=False)
    return text if len(text) <= _MOST_SHOWN else f"{text[: _MOST_SHOWN - 3]}..."
