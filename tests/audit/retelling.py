"""Outputs whose records are rewritten so that they stay consistent: what a build elsewhere would have recorded."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from recipekit import digests, manifest


def retell(folder: Path, change: Callable[[dict[str, Any]], None]) -> Path:
    """Changes an output's build definition; its build key follows.

    Args:
        folder: of the output.
        change: edits the definition in place.
    """
    statement = manifest.read(folder)
    definition = statement["predicate"]["buildDefinition"]
    change(definition)
    parameters = definition["externalParameters"]
    parameters["configDigest"] = digests.of_json(parameters["resolvedConfig"])
    manifest.results(statement)["buildKey"] = manifest.build_key(definition)
    (folder / manifest.FILE).write_bytes(manifest.encode(statement))
    return folder


def rewrite(folder: Path, name: str, data: bytes) -> None:
    """Gives a recorded file other bytes, and records those."""
    (folder / name).write_bytes(data)
    statement = manifest.read(folder)
    for entry in (*statement["subject"], *statement["predicate"]["runDetails"]["byproducts"]):
        if entry["name"] == name:
            entry["digest"]["sha256"] = digests.of_bytes(data)
            entry["annotations"]["size"] = len(data)
    (folder / manifest.FILE).write_bytes(manifest.encode(statement))


def restage(folder: Path, stage: str, files: str) -> None:
    """Says in `results.json` that a stage left files of another digest."""
    results = json.loads((folder / manifest.RESULTS).read_text())
    next(entry for entry in results["stages"] if entry["name"] == stage)["files"] = files
    rewrite(folder, manifest.RESULTS, json.dumps(results).encode())


def dependency(definition: dict[str, Any], name: str) -> dict[str, Any]:
    """The dependency of a name."""
    found: dict[str, Any]
    (found,) = [entry for entry in definition["resolvedDependencies"] if entry["name"] == name]
    return found
