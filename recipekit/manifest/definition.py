"""The build definition: everything that decides the bytes of an output, and the key that it is found by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from operator import attrgetter
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

from recipekit import digests
from recipekit.environment import Environment, Package
from recipekit.errors import InvalidRecipe
from recipekit.inputs import Input
from recipekit.repository import Repository

BUILD_TYPE = "https://recipekit.invalid/build/v1"
"""SLSA wants a URI that leads to a page; `.invalid` says that there is none yet."""

UNKEYED_PARAMETERS = (("overrides",), ("recipe", "path"), ("recipe", "sha256"))
"""External parameters left out of the build key: how the resolved configuration came about, which is keyed whole."""

UNKEYED_ROLES = frozenset({"recipe-repo", "recipe-file"})
"""Dependencies left out for the same reason: a comment in a recipe, or a commit elsewhere, changes no byte."""


class RecipeIdentity(NamedTuple):
    """Which recipe: its name and version, its file relative to the project root and that file's SHA-256."""

    name: str
    version: str
    path: str
    sha256: str
    schema_version: int


class Toolchain(NamedTuple):
    """What converts, in its own terms: converter, its flags, determinism switches and thread counts (JSON values)."""

    converter: str
    flags: Mapping[str, Any]
    determinism: Mapping[str, Any]
    threads: Mapping[str, Any]


class Dependency(NamedTuple):
    """One thing that a build reads.

    Attributes:
        role: one of the schema's.
        name: what it is called in messages.
        digest: the algorithm's in-toto name to lower-case hex, one entry.
        uri: where it is; empty where that says nothing.
        annotations: facts of the schema besides the role.
    """

    role: str
    name: str
    digest: Mapping[str, str]
    uri: str = ""
    annotations: Mapping[str, Any] = {}

    @classmethod
    def of_input(cls, pinned: Input) -> Dependency:
        """A pinned file, folder or module; the path of one outside of the project stays out."""
        outside = not pinned.path or Path(pinned.path).is_absolute()
        return cls(
            role=pinned.role,
            name=pinned.name,
            digest={pinned.algorithm: pinned.digest},
            uri="" if outside else f"file:{quote(pinned.path)}",
            annotations={"files": pinned.files, "bytes": pinned.bytes},
        )

    @classmethod
    def of_package(cls, package: Package) -> Dependency:
        """An installed distribution."""
        return cls("package", package.name, {"sha256": package.digest}, package.purl, {"hashOf": package.hash_of})

    @classmethod
    def of_repository(cls, repository: Repository) -> Dependency:
        """The commit of the recipe project, and what was changed since."""
        diff = {"diffSha256": repository.diff_sha256} if repository.diff_sha256 else {}
        withheld = {"diffWithheld": repository.withheld} if repository.withheld else {}
        annotations = {"dirty": repository.dirty, **diff, **withheld}
        return cls("recipe-repo", "recipe-repo", {"gitCommit": repository.commit}, repository.uri, annotations)

    @classmethod
    def of_samples(cls, role: str, name: str, sha256: str, samples: int) -> Dependency:
        """The samples that a build reads, in their order, by the digest of their `samples.jsonl`."""
        return cls(role, name, {"sha256": sha256}, annotations={"samples": samples})


@dataclass(frozen=True)
class BuildInputs:
    """Everything that decides the bytes of an output.

    Attributes:
        recipe: which recipe.
        overrides: of the command line, as typed.
        resolved_config: the whole configuration after defaults and overrides, as JSON values.
        seeds: by what they seed, none negative.
        toolchain: what converts.
        dependencies: all inputs in any order, without the packages of the environment.
        environment: facts of machine and installation.
    """

    recipe: RecipeIdentity
    overrides: Sequence[str]
    resolved_config: Mapping[str, Any]
    seeds: Mapping[str, int]
    toolchain: Toolchain
    dependencies: Sequence[Dependency]
    environment: Environment


def build_definition(inputs: BuildInputs) -> dict[str, Any]:
    """SLSA's `buildDefinition`; dependencies are sorted, so the order in which they were found means nothing.

    Raises:
        InvalidRecipe: the configuration holds a number that JSON can't carry exactly.
    """
    config = dict(inputs.resolved_config)
    try:
        config_digest = digests.of_json(config)
    except ValueError as error:
        raise InvalidRecipe(
            f"the configuration can't be recorded: {error}",
            where=inputs.recipe.path,
            fix="keep to finite numbers, and to integers below 2^53",
        ) from error
    facts = inputs.environment
    dependencies = [*map(_descriptor, inputs.dependencies), *map(_package_descriptor, facts.packages)]
    return {
        "buildType": BUILD_TYPE,
        "externalParameters": {
            "recipe": {
                "name": inputs.recipe.name,
                "version": inputs.recipe.version,
                "path": inputs.recipe.path,
                "sha256": inputs.recipe.sha256,
                "schemaVersion": inputs.recipe.schema_version,
            },
            "overrides": list(inputs.overrides),
            "resolvedConfig": config,
            "configDigest": config_digest,
            "seeds": {name: str(seed) for name, seed in inputs.seeds.items()},
        },
        "internalParameters": {
            "recipekit": dict(facts.recipekit),
            "python": dict(facts.python),
            "platform": dict(facts.platform),
            "toolchain": {
                "converter": inputs.toolchain.converter,
                "flags": dict(inputs.toolchain.flags),
                "determinism": dict(inputs.toolchain.determinism),
                "threads": dict(inputs.toolchain.threads),
            },
            "environmentVariables": dict(facts.variables),
        },
        "resolvedDependencies": [entry.value for entry in sorted(dependencies, key=attrgetter("canonical"))],
    }


def build_key(definition: Mapping[str, Any]) -> str:
    """SHA-256 of a build definition's canonical JSON, without `UNKEYED_PARAMETERS` and `UNKEYED_ROLES`.

    Raises:
        ValueError: it holds something that canonical JSON can't carry.
    """
    parameters = definition["externalParameters"]
    for path in UNKEYED_PARAMETERS:
        parameters = _without(parameters, path)
    dependencies = definition["resolvedDependencies"]
    keyed = [entry for entry in dependencies if entry["annotations"]["role"] not in UNKEYED_ROLES]
    return digests.of_json({**definition, "externalParameters": parameters, "resolvedDependencies": keyed})


class _Descriptor(NamedTuple):
    """A resource descriptor, sorted by its canonical form."""

    canonical: bytes
    value: dict[str, Any]


def _descriptor(dependency: Dependency) -> _Descriptor:
    value = {
        "name": dependency.name,
        **({"uri": dependency.uri} if dependency.uri else {}),
        "digest": dict(dependency.digest),
        "annotations": {"role": dependency.role, **dependency.annotations},
    }
    return _Descriptor(digests.canonical_json(value), value)


@cache
def _package_descriptor(package: Package) -> _Descriptor:
    """The same packages are described again for every child of a sweep."""
    return _descriptor(Dependency.of_package(package))


def _without(mapping: Mapping[str, Any], path: tuple[str, ...]) -> dict[str, Any]:
    """A copy without one key, which stands at the end of a path of keys."""
    key, *rest = path
    if not rest:
        return {name: value for name, value in mapping.items() if name != key}
    return {**mapping, key: _without(mapping[key], tuple(rest))}
