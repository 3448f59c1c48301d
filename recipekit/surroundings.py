"""What every build of one command has in common: the machine, the installation, the repository, files read before.

It is looked at once and shared by all children of a sweep. It knows no recipe.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import recipekit
from recipekit import digests, environment
from recipekit.environment import Environment, Package
from recipekit.inputs import FileState
from recipekit.pool import worker_environment
from recipekit.repository import Repository, repository_of

WORKER_ROOMS = frozenset(
    {"worker", "errors", "nearest", "secrecy", "digests", "contracts", "registry", "same_samples", "fitting"}
)
"""The rooms whose code runs in workers, and so belongs to the key of every stage; no other code decides its result."""

_LITERT = ("ai-edge-litert", "ai-edge-quantizer", "msgspec", "numpy", "pillow", "rfc8785", "scikit-learn")
_DISTRIBUTIONS = {"tensorflow": ("tensorflow", "keras", "tf-keras", *_LITERT), "litert": _LITERT}


class Surroundings:
    """Facts besides the inputs that decide the results of a project's builds.

    Attributes:
        known_files: states of pinned files by their path, so that each is read once.
        variables: the environment of the workers.
    """

    def __init__(self, root: Path, variables: Mapping[str, str] | None = None) -> None:
        """Looks at nothing yet.

        Args:
            root: the project root.
            variables: the environment of the workers, where it is not that of `worker_environment`.
        """
        self._root = root
        self._tools: dict[str, dict[str, Any]] = {}
        self._digests: dict[str, str] = {}
        self._extras: dict[frozenset[str], tuple[Package, ...]] = {}
        self.known_files: dict[Path, FileState] = {}
        self.variables = worker_environment() if variables is None else dict(variables)

    @cached_property
    def environment(self) -> Environment:
        """Machine and installation."""
        return environment.collect(self.variables)

    @cached_property
    def repository(self) -> Repository | None:
        """The commit that the project is at; None outside of a repository."""
        return repository_of(self._root)

    @cached_property
    def _workers_code(self) -> str:
        return environment.source_digest(Path(recipekit.__file__).parent, WORKER_ROOMS)

    def tools(self, worker: str) -> dict[str, Any]:
        """What the result of a stage in a worker depends on besides its inputs: our code, Python, machine, packages."""
        if worker not in self._tools:
            facts = self.environment
            needed = environment.required_by(*_DISTRIBUTIONS[worker], *environment.plugin_distributions())
            self._tools[worker] = {
                "recipekit": self._workers_code,
                "python": dict(facts.python),
                "platform": dict(facts.platform),
                "variables": dict(facts.variables),
                "packages": {
                    package.name: f"{package.version} {package.digest}"
                    for package in facts.packages
                    if package.name in needed
                },
            }
        return self._tools[worker]

    def package(self, name: str) -> str:
        """Version and digest of one of recipekit's own requirements; empty where it isn't installed."""
        found = (package for package in self.environment.packages if package.name == name)
        return next((f"{package.version} {package.digest}" for package in found), "")

    def packages_of(self, extras: frozenset[str]) -> dict[str, str]:
        """Version and digest of each package that some extras of recipekit bring besides its own requirements."""
        return {package.name: f"{package.version} {package.digest}" for package in self._extra_packages(extras)}

    def environment_with(self, extras: frozenset[str]) -> Environment:
        """Machine and installation, the packages of some extras included."""
        packages = (*self.environment.packages, *self._extra_packages(extras))
        return replace(self.environment, packages=tuple(sorted(packages, key=lambda package: package.name)))

    def _extra_packages(self, extras: frozenset[str]) -> tuple[Package, ...]:
        if extras not in self._extras:
            self._extras[extras] = environment.packages_of(extras)
        return self._extras[extras]

    def tools_digest(self, worker: str) -> str:
        """Digest of `tools`."""
        if worker not in self._digests:
            self._digests[worker] = digests.of_json(self.tools(worker))
        return self._digests[worker]
