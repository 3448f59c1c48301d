"""An output as a CycloneDX ML-BOM, version 1.6: the model with its model card, and everything that it was made of.

Format: https://cyclonedx.org/docs/1.6/json/, ECMA-424. Components have their own digests; that of a package is of its
list of files, as installed, and says so. The formulation is the build itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from recipekit.contracts import QuantizedTensor
from recipekit.estimates import CONFIDENCE
from recipekit.exports.published import Published, Score

SCHEMA = "http://cyclonedx.org/schema/bom-1.6.schema.json"

_TYPES = {
    "model-source": "machine-learning-model",
    "dataset": "data",
    "calibration-samples": "data",
    "evaluation-samples": "data",
    "plugin": "file",
    "custom-layer": "file",
    "recipe-file": "file",
    "toolchain-binary": "application",
    "package": "library",
}
"""CycloneDX's type of what a build read, by its role; a repository is an external reference, not a component."""


def ml_bom(output: Published) -> dict[str, Any]:
    """The bill of materials as JSON values; the same for the same output."""
    parts = {_reference(entry): _component(entry) for entry in output.dependencies(*_TYPES)}
    return {
        "$schema": SCHEMA,
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid5(NAMESPACE_URL, output.definition['buildType'] + output.build_key)}",
        "version": 1,
        "metadata": {
            "timestamp": output.run["metadata"]["finishedOn"],
            "lifecycles": [{"phase": "build"}],
            "tools": {"components": [_tool(output)]},
            "component": _model(output),
        },
        "components": list(parts.values()),
        "dependencies": [{"ref": "model", "dependsOn": sorted(parts)}, *({"ref": ref} for ref in sorted(parts))],
        "formulation": [_formula(output, sorted(parts))],
    }


def _tool(output: Published) -> dict[str, Any]:
    version = output.definition["internalParameters"]["recipekit"]["version"]
    return {"type": "application", "name": "recipekit", "version": version}


def _model(output: Published) -> dict[str, Any]:
    name, sha256, size = output.model
    return {
        "type": "machine-learning-model",
        "bom-ref": "model",
        "name": output.name,
        "version": output.version,
        **({"description": output.description} if output.description else {}),
        "hashes": [{"alg": "SHA-256", "content": sha256}],
        **_references(output),
        "modelCard": _card(output),
        "properties": _properties(
            {
                "file": name,
                "bytes": size,
                "buildKey": output.build_key,
                "verdict": output.verdict,
                "quantization": output.quantization,
                "converter": output.definition["internalParameters"]["toolchain"]["converter"],
            }
        ),
    }


def _references(output: Published) -> dict[str, Any]:
    """Where the recipe is versioned, where that is a public address."""
    found = [
        {"type": "vcs", "url": entry["uri"], "comment": f"commit {entry['digest'].get('gitCommit', '')}"}
        for entry in output.dependencies("recipe-repo")
        if entry.get("uri")
    ]
    return {"externalReferences": found} if found else {}


def _card(output: Published) -> dict[str, Any]:
    census = output.measurement.census
    data = [{"ref": _reference(it)} for it in output.dependencies("calibration-samples", "evaluation-samples")]
    metrics = [*map(_metric, output.scores()), *_sizes(output)]
    limits = [f"check {check.name}: {check.verdict}" for check in output.checks if check.verdict != "pass"]
    if output.measurement.not_run:
        limits.append(f"not run: {output.measurement.not_run}")
    return {
        "modelParameters": {
            **({"datasets": data} if data else {}),
            "inputs": _formats(census.inputs),
            "outputs": _formats(census.outputs),
        },
        "quantitativeAnalysis": {"performanceMetrics": metrics},
        **({"considerations": {"technicalLimitations": limits}} if limits else {}),
        "properties": _properties({"acceptance": output.verdict, "confidence": CONFIDENCE}),
    }


def _formats(tensors: Sequence[QuantizedTensor]) -> list[dict[str, str]]:
    return [{"format": f"{tensor.name}: {tensor.dtype} [{', '.join(map(str, tensor.shape))}]"} for tensor in tensors]


def _metric(score: Score) -> dict[str, Any]:
    interval = score.estimate.interval
    bounds = {} if interval is None else {"confidenceInterval": _bounds(*interval)}
    return {"type": score.name, "value": _number(score.estimate.value), "slice": score.of, **bounds}


def _bounds(low: float, high: float) -> dict[str, str]:
    return {"lowerBound": _number(low), "upperBound": _number(high)}


def _sizes(output: Published) -> Iterator[dict[str, Any]]:
    measured = output.measurement
    yield {"type": "size_bytes", "value": str(measured.size), "slice": "file"}
    yield {"type": "size_ratio", "value": _number(measured.size_ratio), "slice": "file"}
    if measured.latency is not None:
        yield {"type": "latency_p50_ms", "value": _number(measured.latency.p50_ms), "slice": "build host"}


def _number(value: float) -> str:
    return f"{value:.6g}"


def _reference(entry: Mapping[str, Any]) -> str:
    """The name of a component inside of the document."""
    name = re.sub(r"[^A-Za-z0-9._/-]+", "-", entry["name"])
    return f"{entry['annotations']['role']}:{name}"


def _component(entry: Mapping[str, Any]) -> dict[str, Any]:
    notes = entry["annotations"]
    uri = entry.get("uri", "")
    digests = entry["digest"]
    others = {name: value for name, value in digests.items() if name != "sha256"}
    kind = _TYPES[notes["role"]]
    return {
        "type": kind,
        "bom-ref": _reference(entry),
        "name": entry["name"],
        **({"version": uri.rpartition("@")[2], "purl": uri} if uri.startswith("pkg:") else {}),
        **({"hashes": [{"alg": "SHA-256", "content": digests["sha256"]}]} if "sha256" in digests else {}),
        **({"data": [{"type": "dataset", "name": entry["name"]}]} if kind == "data" else {}),
        "properties": _properties({**notes, **others, **({} if uri.startswith("pkg:") or not uri else {"uri": uri})}),
    }


def _formula(output: Published, inputs: Sequence[str]) -> dict[str, Any]:
    """The build: what went in, which stages it had, what came out."""
    run, key = output.run["metadata"], output.build_key
    return {
        "bom-ref": "formulation",
        "workflows": [
            {
                "bom-ref": "build",
                "uid": key,
                "name": "recipekit run",
                "taskTypes": ["build", "test"],
                "timeStart": run["startedOn"],
                "timeEnd": run["finishedOn"],
                "steps": [{"name": stage["name"]} for stage in sorted(output.results["stages"], key=_stage_name)],
                "inputs": [{"resource": {"ref": ref}} for ref in inputs],
                "outputs": [{"type": "artifact", "resource": {"ref": "model"}}],
                "properties": _properties(
                    {
                        "configDigest": output.definition["externalParameters"]["configDigest"],
                        **{f"seed.{name}": value for name, value in _seeds(output).items()},
                        **{f"platform.{name}": value for name, value in _platform(output).items()},
                    }
                ),
            }
        ],
    }


def _stage_name(stage: Mapping[str, Any]) -> str:
    return str(stage["name"])


def _seeds(output: Published) -> Mapping[str, Any]:
    seeds: Mapping[str, Any] = output.definition["externalParameters"]["seeds"]
    return seeds


def _platform(output: Published) -> dict[str, str]:
    facts = output.definition["internalParameters"]["platform"]
    return {name: value for name, value in facts.items() if isinstance(value, str)}


def _properties(facts: Mapping[str, Any]) -> list[dict[str, str]]:
    return [{"name": f"recipekit:{name}", "value": _text(value)} for name, value in sorted(facts.items())]


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
