"""Two build definitions part by part: which digests are equal, and what is different inside of those that aren't."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from recipekit import digests
from recipekit.contracts import Record
from recipekit.environment import Environment
from recipekit.explanation import leaves, shown
from recipekit.manifest import UNKEYED_PARAMETERS, Dependency

SOFTWARE = frozenset({"recipekit", "python", "packages"})
"""Components whose difference lifts the promise of equal bytes."""

MACHINE = frozenset({"platform"})
"""Components whose difference leaves equal bytes to be expected, but not promised."""

_SAMPLES = "samples"
_INPUTS = frozenset({"model-source", "dataset", "plugin", "custom-layer", "toolchain-binary"})


class Component(Record, frozen=True, kw_only=True):
    """One part of two build definitions.

    Attributes:
        name: of the part.
        recorded: digest of its canonical JSON in the recorded build.
        now: the same here.
        changes: what is different, a phrase each.
    """

    name: str
    recorded: str
    now: str
    changes: tuple[str, ...] = ()

    @property
    def same(self) -> bool:
        """Whether the digests are equal."""
        return self.recorded == self.now


def compared(recorded: Mapping[str, Any], now: Mapping[str, Any]) -> tuple[Component, ...]:
    """The components of two build definitions, or of two environments, in the order of the first."""
    return tuple(
        Component(
            name=name,
            recorded=digests.of_json(recorded[name]),
            now=digests.of_json(now[name]),
            changes=tuple(_changes(recorded[name], now[name])),
        )
        for name in recorded
    )


def level(components: tuple[Component, ...]) -> int:
    """What a rebuild promises: 1 equal bytes, 2 the same on another machine, 3 metrics alone, by other software."""
    different = {component.name for component in components if not component.same}
    return 3 if different & SOFTWARE else 2 if different & MACHINE else 1


def parts_of(definition: Mapping[str, Any]) -> dict[str, Any]:
    """All that a build key is made of, as parts by name."""
    parameters, internal = definition["externalParameters"], definition["internalParameters"]
    dependencies = definition["resolvedDependencies"]
    unkeyed = {path[-1] for path in UNKEYED_PARAMETERS if path[0] == "recipe"}
    return {
        "configuration": {
            "recipe": {name: value for name, value in parameters["recipe"].items() if name not in unkeyed},
            **parameters["resolvedConfig"],
            "seeds": parameters["seeds"],
        },
        "inputs": dict(_inputs(dependencies)),
        _SAMPLES: {entry["name"]: entry["digest"] for entry in dependencies if _SAMPLES in entry["annotations"]},
        "flags": internal["toolchain"],
        "recipekit": internal["recipekit"],
        "python": internal["python"],
        "packages": dict(_packages(dependencies)),
        "platform": internal["platform"],
        "variables": internal["environmentVariables"],
    }


def environment_of(definition: Mapping[str, Any]) -> dict[str, Any]:
    """The parts of a build definition that are not the recipe's doing."""
    return {name: part for name, part in parts_of(definition).items() if name in (*SOFTWARE, *MACHINE, "variables")}


def facts_of(environment: Environment) -> dict[str, Any]:
    """The same of this machine and installation."""
    return {
        "recipekit": dict(environment.recipekit),
        "python": dict(environment.python),
        "packages": dict(_described(map(Dependency.of_package, environment.packages))),
        "platform": dict(environment.platform),
        "variables": dict(environment.variables),
    }


def _inputs(dependencies: list[dict[str, Any]]) -> Iterator[tuple[str, Any]]:
    for entry in dependencies:
        facts = entry["annotations"]
        if facts["role"] in _INPUTS and _SAMPLES not in facts:
            rest = {name: value for name, value in entry.items() if name != "name"}
            yield f"{facts['role']} {entry['name']}", rest


def _packages(dependencies: list[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    for entry in dependencies:
        if entry["annotations"]["role"] == "package":
            yield entry["name"], _package(entry.get("uri", ""), entry["digest"], entry["annotations"].get("hashOf", ""))


def _described(packages: Iterator[Dependency]) -> Iterator[tuple[str, str]]:
    for package in packages:
        yield package.name, _package(package.uri, package.digest, package.annotations["hashOf"])


def _package(uri: str, digest: Mapping[str, str], hash_of: str) -> str:
    """`2.4.6 (RECORD 0123...)`, with the whole digest."""
    return f"{uri.rpartition('@')[2]} ({hash_of} {''.join(digest.values())})"


def _changes(recorded: Any, now: Any) -> Iterator[str]:
    old, new = dict(leaves(recorded)), dict(leaves(now))
    for path in sorted(old.keys() | new.keys()):
        before, after = old.get(path), new.get(path)
        if isinstance(before, list) and isinstance(after, list):
            gone = [f"-{shown(item)}" for item in before if item not in after]
            come = [f"+{shown(item)}" for item in after if item not in before]
            if before != after:
                yield f"{path}: {' '.join(gone + come) or 'another order'}"
        elif before != after:
            yield f"{path}: {shown(before)} recorded, {shown(after)} now"
