"""What decides the bytes of two builds and is different: configuration, sources, samples, code, packages, machine.

It reads build definitions component by component; what they don't key (which commit, which file of a recipe) comes
last, since it decides nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from recipekit.audit.changes import Change, largest_first, weight_of

Path = tuple[str, ...]
Origins = Mapping[Path, str]
"""Where each key of a configuration was set."""

GROUPS = (
    "configuration",
    "source",
    "samples",
    "data",
    "code",
    "recipekit",
    "toolchain",
    "package",
    "python",
    "platform",
    "variable",
    "judgement",
    "unkeyed",
)
"""Groups of inputs: what an author of recipes changes, what the machine brings, then what changes no byte of the model:
the part of the configuration that measures and judges it, and at last what isn't in the build key."""

_JUDGEMENT = {"acceptance", "artifacts", "description", "evaluation", "name", "version"}
"""Sections of a recipe that come after the conversion."""

_ROLES = {
    "model-source": "source",
    "calibration-samples": "samples",
    "evaluation-samples": "samples",
    "dataset": "data",
    "plugin": "code",
    "custom-layer": "code",
    "package": "package",
    "toolchain-binary": "toolchain",
}
"""Group of each role of a dependency; others are unkeyed."""

_FACTS = {"recipekit": "recipekit", "python": "python", "platform": "platform", "environmentVariables": "variable"}


def compare_configurations(
    a: Mapping[str, Any], b: Mapping[str, Any], a_origins: Origins, b_origins: Origins
) -> tuple[Change, ...]:
    """Every key that two resolved configurations don't share or give other values to."""
    return largest_first(_configuration(a, b, a_origins, b_origins), GROUPS)


def compare_definitions(
    a: Mapping[str, Any], b: Mapping[str, Any], a_origins: Origins, b_origins: Origins
) -> tuple[Change, ...]:
    """Every component of two build definitions that is different."""
    a_external, b_external = a["externalParameters"], b["externalParameters"]
    changes = list(_configuration(a_external["resolvedConfig"], b_external["resolvedConfig"], a_origins, b_origins))
    said = set(map(_said, changes))
    a_internal, b_internal = a["internalParameters"], b["internalParameters"]
    # The converter's flags repeat the configuration; what that has said already isn't said again.
    toolchain = _values("toolchain", a_internal["toolchain"], b_internal["toolchain"])
    changes += [change for change in toolchain if _said(change) not in said]
    for name, group in _FACTS.items():
        changes += _values(group, a_internal.get(name, {}), b_internal.get(name, {}))
    changes += _values("unkeyed", _unkeyed(a_external), _unkeyed(b_external))
    changes += _dependencies(a["resolvedDependencies"], b["resolvedDependencies"])
    return largest_first(changes, GROUPS)


def leaves(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Every value that isn't a mapping with keys, with its path."""
    if isinstance(value, Mapping) and value:
        for key, item in value.items():
            yield from leaves(item, (*path, str(key)))
    elif path:
        yield path, value


def _configuration(
    a: Mapping[str, Any], b: Mapping[str, Any], a_origins: Origins, b_origins: Origins
) -> Iterator[Change]:
    first, second = dict(leaves(a)), dict(leaves(b))
    for path in first.keys() | second.keys():
        old, new = first.get(path), second.get(path)
        if path not in first or path not in second or old != new:
            yield Change(
                group="judgement" if path[0] in _JUDGEMENT else "configuration",
                name=".".join(path),
                a=old,
                b=new,
                weight=weight_of(old, new),
                a_origin=a_origins.get(path, "") if path in first else "",
                b_origin=b_origins.get(path, "") if path in second else "",
            )


def _values(group: str, a: Mapping[str, Any], b: Mapping[str, Any]) -> Iterator[Change]:
    for change in _configuration(a, b, {}, {}):
        yield Change(group=group, name=change.name, a=change.a, b=change.b, weight=change.weight)


def _unkeyed(external: Mapping[str, Any]) -> dict[str, Any]:
    recipe = external["recipe"]
    return {"overrides": external["overrides"], "recipe.path": recipe["path"], "recipe.sha256": recipe["sha256"]}


def _said(change: Change) -> tuple[str, str, str]:
    return change.name.rpartition(".")[2], repr(change.a), repr(change.b)


def _dependencies(a: list[dict[str, Any]], b: list[dict[str, Any]]) -> Iterator[Change]:
    first, second = ({(it["annotations"]["role"], it["name"]): it for it in listed} for listed in (a, b))
    for role, name in first.keys() | second.keys():
        old, new = (_described(side.get((role, name))) for side in (first, second))
        if old != new:
            weight = _version_weight(old, new)
            yield Change(group=_ROLES.get(role, "unkeyed"), name=name, a=old, b=new, weight=weight)


def _described(dependency: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Digest and facts of a dependency; of a package its version instead of where it is from."""
    if dependency is None:
        return None
    facts = {name: value for name, value in dependency["annotations"].items() if name not in {"role", "hashOf"}}
    uri = dependency.get("uri", "")
    place = {"version": uri.rpartition("@")[2]} if uri.startswith("pkg:") else {"uri": uri} if uri else {}
    return {**place, **facts, **dependency["digest"]}


def _version_weight(a: dict[str, Any] | None, b: dict[str, Any] | None) -> float:
    """1 for what only one side has or another major version, less for the parts behind it, 0 for other bytes alone."""
    if a is None or b is None or "version" not in a or "version" not in b:
        return 1.0
    first, second = (side["version"].split(".") for side in (a, b))
    same = [old == new for old, new in zip(first, second, strict=False)]
    return 0.0 if first == second else 1.0 / (1 + (same.index(False) if False in same else len(same)))
