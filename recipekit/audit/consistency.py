"""What the records of an output say of each other: the verdict follows from what was measured, or it is no verdict.

Digests prove nothing about an output whose manifest was edited, since whoever edited it could compute them. Its records
say the same thing several times, though, and the gate says it once more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from recipekit import digests
from recipekit import manifest as manifests
from recipekit.acceptance import Check, Verdict
from recipekit.contracts import Measurement
from recipekit.errors import EvaluationError, OutputAltered
from recipekit.gate import judge
from recipekit.outputs import Difference
from recipekit.publication import RESULTS_SCHEMA, read_recipe, recorded_check, recorded_metrics, samples_file
from recipekit.recipe import read_acceptance

_RECIPE = "recipe.yaml"
_MODEL = "model.tflite"
_SAMPLES = ("calibration-samples", "evaluation-samples")


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
    if _RECIPE in there:
        yield from _recipe(folder, manifest)
    if manifests.RESULTS in there:
        try:
            results = manifests.strict_json((folder / manifests.RESULTS).read_bytes().decode())
        except (ValueError, RecursionError) as error:
            yield Difference(place=manifests.RESULTS, problem=f"is not valid JSON: {error}")
            return
        yield from judgement_contradictions(manifest, results)


def judgement_contradictions(manifest: dict[str, Any], results: Any) -> Iterator[Difference]:
    """What a manifest, the results and the gate disagree in; pure.

    Args:
        manifest: a valid one.
        results: the value that `results.json` holds; anything at all.
    """
    try:
        checks, measurement = _read(results)
    except (KeyError, TypeError, ValueError) as error:
        yield Difference(place=manifests.RESULTS, problem=f"is not what recipekit writes: {_reason(error)}")
        return
    recorded = manifests.results(manifest)
    recipe = manifest["predicate"]["buildDefinition"]["externalParameters"]["recipe"]
    expected = {
        "schema": RESULTS_SCHEMA,
        "name": recipe["name"],
        "version": recipe["version"],
        "build_key": recorded["buildKey"],
    }
    for key, value in expected.items():
        yield from _differ(f"{manifests.RESULTS} {key}", value, results[key])
    timings = {stage["name"]: stage["seconds"] for stage in results["stages"]}
    yield from _differ(f"{manifests.FILE} timingsSeconds", timings, recorded["timingsSeconds"])
    yield from _differ(f"{manifests.FILE} metrics", recorded_metrics(measurement), recorded["metrics"])
    yield from _measured(manifest, measurement)
    yield from _judged(manifest, results["verdict"], checks, measurement)


def _read(results: Any) -> tuple[tuple[Check, ...], Measurement]:
    """Checks and measurement of results whose other keys have the types that are looked at.

    Raises:
        KeyError, TypeError, ValueError: they are something else.
    """
    for stage in results["stages"]:
        stage["name"], stage["seconds"]
    for key in ("schema", "name", "version", "build_key", "verdict"):
        results[key]
    checks = msgspec.convert(results["checks"], tuple[Check, ...])
    return checks, msgspec.convert(results["measurement"], Measurement)


def _judged(
    manifest: dict[str, Any], verdict: Any, checks: tuple[Check, ...], measurement: Measurement
) -> Iterator[Difference]:
    """The verdict and its checks, in both files, against what the gate says of the same measurement and bounds."""
    resolved = manifest["predicate"]["buildDefinition"]["externalParameters"]["resolvedConfig"]
    try:
        again = judge(read_acceptance(resolved), measurement)
    except (EvaluationError, ArithmeticError, AttributeError, KeyError, TypeError, ValueError) as error:
        yield Difference(place="verdict", problem=f"can't be recomputed: {_reason(error)}")
        return
    recorded = manifests.results(manifest)
    for file, said in ((manifests.FILE, recorded["verdict"]), (manifests.RESULTS, verdict)):
        yield from _differ(f"{file} verdict", again.status, said)
    yield from _compared(manifests.RESULTS, again, {check.name: check for check in checks}, lambda check: check)
    found = {check["name"]: check for check in recorded["checks"]}
    yield from _compared(manifests.FILE, again, found, lambda check: _as_json(recorded_check(check)))
    for file, those in ((manifests.RESULTS, checks), (manifests.FILE, recorded["checks"])):
        if len(those) != len(again.checks):
            yield Difference(place=f"{file} checks", expected=f"{len(again.checks)} of them", got=str(len(those)))


def _compared(
    file: str, again: Verdict, found: Mapping[str, Any], written: Callable[[Check], Any]
) -> Iterator[Difference]:
    """Each check of a recomputed verdict against the one of its name in a file."""
    for check in again.checks:
        yield from _differ(f"{file} check {check.name}", written(check), found.get(check.name))


def _measured(manifest: dict[str, Any], measurement: Measurement) -> Iterator[Difference]:
    """The candidate and the samples that the measurement speaks of are those of the output."""
    files = manifests.recorded_files(manifest)
    if _MODEL in files:
        yield from _differ(f"{manifests.RESULTS} measurement.size", files[_MODEL][1], measurement.size)
    evaluated = files.get(samples_file("evaluation-samples"))
    if evaluated is not None and measurement.samples is not None:
        yield from _differ(f"{manifests.RESULTS} measurement.samples", evaluated[0], measurement.samples.sha256)


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
        yield Difference(place=_RECIPE, problem=error.what)
        return
    # Equality first: of two equal values neither is larger than the other, so that the digest takes no longer.
    if written != parameters["resolvedConfig"] or digests.of_json(written) != parameters["configDigest"]:
        yield Difference(place=_RECIPE, expected=expected, got="another one")


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
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    text = text if text.isprintable() else ascii(text)
    return text if len(text) <= 300 else f"{text[:297]}..."


def _reason(error: Exception) -> str:
    return f"it lacks {error}" if isinstance(error, KeyError) else str(error) or type(error).__name__
