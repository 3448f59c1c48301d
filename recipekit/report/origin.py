"""How an output was made, as its page tells it: the recipe with the place of each value, inputs, environment, commands.

All of it stands in the build definition; what is left to do here is to choose and to put into words.
"""

from __future__ import annotations

import itertools
import json
import shlex
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

_TOLD_ELSEWHERE = frozenset({"package", "recipe-repo"})
"""Roles of dependencies that aren't listed as inputs, but told in other parts of the page."""

_AS_JSON = json.JSONEncoder(ensure_ascii=False)

_DIGESTS = ("sha256", "dirHash1", "gitCommit")


class Making(NamedTuple):
    """What a page tells of how its output was made.

    Attributes:
        definition: the build definition.
        recipe: its values: key path, value, and where it was written; none where that isn't known any more.
        output: the output's folder as commands name it.
        option: the recipe's name on the command line.
        started: when the build began.
    """

    definition: Mapping[str, Any]
    recipe: Sequence[tuple[Sequence[str | int], Any, str]]
    output: str
    option: str
    started: datetime


def of_this_build(making: Making) -> dict[str, Any]:
    """What nearly every build has for itself: when, how it is called again, and its recipe, section by section."""
    rows = [
        {"key": ".".join(map(str, key)), "value": _AS_JSON.encode(value), "origin": origin}
        for key, value, origin in making.recipe
    ]
    return {
        "started": f"{making.started:%Y-%m-%d %H:%M:%S} UTC",
        "commands": _commands(making),
        "count": len(rows),
        "sections": [list(of) for _, of in itertools.groupby(rows, lambda row: row["key"].partition(".")[0])],
    }


def of_many_builds(making: Making) -> dict[str, Any]:
    """What the builds of a project have in common as a rule: commit, inputs, environment."""
    dependencies = making.definition["resolvedDependencies"]
    repository = next((entry for entry in dependencies if entry["annotations"]["role"] == "recipe-repo"), None)
    return {
        "repository": None if repository is None else _repository(repository),
        "inputs": [_input(entry) for entry in dependencies if entry["annotations"]["role"] not in _TOLD_ELSEWHERE],
        "environment": dict(_environment(making.definition["internalParameters"])),
        "packages": sorted(
            (entry["name"], entry["uri"].rpartition("@")[2], entry["digest"]["sha256"])
            for entry in dependencies
            if entry["annotations"]["role"] == "package"
        ),
    }


def _commands(making: Making) -> list[dict[str, str]]:
    overrides = making.definition["externalParameters"]["overrides"]
    run = ["recipekit", "run", f"recipe={making.option}", *overrides]
    return [
        {"what": "Check that nothing was changed", "command": shlex.join(["recipekit", "verify", making.output])},
        {"what": "Build it again and compare", "command": shlex.join(["recipekit", "reproduce", making.output])},
        {"what": "Run the recipe as it is now", "command": shlex.join(run)},
    ]


def _repository(entry: Mapping[str, Any]) -> dict[str, str]:
    dirty = entry["annotations"].get("dirty")
    return {
        "commit": str(entry["digest"].get("gitCommit", "")),
        "uri": str(entry.get("uri", "")),
        "state": "with uncommitted changes" if dirty else "with nothing uncommitted",
    }


def _input(entry: Mapping[str, Any]) -> dict[str, str]:
    notes = entry["annotations"]
    sizes = [f"{notes[key]:,} {key}" for key in ("samples", "bytes") if key in notes]
    algorithm = next((name for name in _DIGESTS if name in entry["digest"]), "")
    return {
        "role": str(notes["role"]),
        "name": str(entry.get("uri", entry["name"])).removeprefix("file:"),
        "size": ", ".join(sizes),
        "digest": f"{algorithm}:{entry['digest'].get(algorithm, '')}",
    }


def _environment(parameters: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    platform, python = parameters["platform"], parameters["python"]
    yield "recipekit", f"{parameters['recipekit']['version']}, sources {parameters['recipekit']['sourceDigest'][:12]}"
    yield "Python", f"{python['implementation']} {python['version']} ({python['abi']})"
    named = [platform.get(key) for key in ("system", "machine", "libc", "cpuModel")]
    yield "Machine", ", ".join(str(part) for part in named if part)
    if platform.get("cpuFeatures"):
        yield "CPU features", " ".join(platform["cpuFeatures"])
    yield "Converter", str(parameters["toolchain"]["converter"])
    variables = parameters["environmentVariables"]
    if variables:
        yield "Environment variables", " ".join(f"{name}={value}" for name, value in sorted(variables.items()))
