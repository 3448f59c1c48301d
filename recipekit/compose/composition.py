"""From a recipe's name and overrides to one plain mapping, with the file and line behind every value."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from hydra.core.override_parser.types import Override
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import MissingMandatoryValue, OmegaConfBaseException

from recipekit.compose.folders import recipe_folders, shown, user_groups
from recipekit.compose.layers import Layers, merge_layers
from recipekit.compose.marks import read_marks
from recipekit.compose.overrides import CommandOverride, read_overrides, texts_for_hydra
from recipekit.compose.refusals import hydra_errors, no_recipe, recipekit_cause
from recipekit.compose.repository import PRESETS
from recipekit.compose.session import hydra_for, resolving_for
from recipekit.errors import CompositionError
from recipekit.nearest import did_you_mean
from recipekit.project import Project


class Composition:
    """A composed recipe.

    Attributes:
        project: the project it was composed in.
        recipe: the recipe's option name, that is its file's stem.
        overrides: as the user wrote them, the choice of the recipe left out.
        sweeps: whether the recipe itself asks for a sweep (`hydra.mode: MULTIRUN`).
    """

    def __init__(
        self,
        project: Project,
        overrides: tuple[CommandOverride, ...],
        layers: Layers,
        values: tuple[Override, ...] = (),
    ) -> None:
        """Takes a recipe's merged files.

        Args:
            project: where the recipes are.
            overrides: all that it is composed with.
            layers: its files, merged.
            values: those of the overrides that `layers` doesn't hold yet.
        """
        self.project = project
        self.recipe = layers.recipe
        self.overrides = tuple(override.text for override in overrides if override.key != "recipe")
        self.sweeps = layers.sweeps
        self._read = overrides
        self._layers = layers
        self._values = values

    @cached_property
    def mapping(self) -> dict[str, Any]:
        """The recipe as plain data, interpolations resolved; what it holds is not checked yet.

        Raises:
            UsageError, CompositionError: an override can't be applied, or a value is missing or can't be resolved.
            ForbiddenKey: a value reads an environment variable that the project doesn't list.
        """
        settled = self._layers.settled(self._values)
        if settled is not None:
            return settled
        config = self._config()
        try:
            with resolving_for(self.project):
                mapping = OmegaConf.to_container(config, resolve=True, throw_on_missing=True, enum_to_str=True)
        except OmegaConfBaseException as error:
            place = self.origin(tuple((error.full_key or "").split(".")))
            cause = recipekit_cause(error)
            if cause is not None:
                raise type(cause)(cause.what, where=place, fix=cause.fix) from error
            fix = f"write a value there, or give one on the command line: {error.full_key}=VALUE"
            if not isinstance(error, MissingMandatoryValue):
                fix = "give it a value that can be resolved"
            reason, _, _ = str(error).partition("\n")
            more = _circle(config, error.full_key) or _meant(config, reason)
            raise CompositionError(f"'{error.full_key}' has no value: {reason}{more}", where=place, fix=fix) from error
        return {str(key): value for key, value in mapping.items()} if isinstance(mapping, dict) else {}

    def check_overrides(self) -> None:
        """Raises what `mapping` would raise of overrides that can't be applied; its values are left alone.

        Raises:
            UsageError, CompositionError: Hydra refuses one of them.
        """
        if not self._layers.takes(self._values):
            self._config()

    @property
    def file(self) -> Path:
        """The recipe's own file."""
        paths = [folder / f"{self.recipe}.yaml" for folder in recipe_folders(self.project)]
        return next((path for path in paths if path.is_file()), paths[0])

    @cached_property
    def files(self) -> tuple[Path, ...]:
        """Every file that the recipe is composed of, packaged options among them, in the order of the merge."""
        return tuple(dict.fromkeys(path for path, _ in self._layers.sources))

    def origin(self, key: tuple[str | int, ...]) -> str:
        """Where a key was written, or the nearest key above it: `recipes/x.yaml:12` or `command line: seed=7`."""
        for length in range(len(key), 0, -1):
            if key[:length] in self._origins:
                return self._origins[key[:length]]
        return _shown(self.file, self.project)

    def _config(self) -> DictConfig:
        with hydra_errors(self.project):
            return self._layers.config(self._values)

    @cached_property
    def _origins(self) -> dict[tuple[str | int, ...], str]:
        versions = [(path, package, path.stat().st_mtime_ns) for path, package in self._layers.sources]
        found = {**_origins_in_files(tuple(versions), self.project)}
        for override in self._read:
            said = f"command line: {override.text}"
            found = {key: place for key, place in found.items() if not _replaces(override, key)}
            found.update(dict.fromkeys(override.paths, said))
            for keys in override.paths[:1]:  # sections that no file has are the override's own
                for length in range(1, len(keys)):
                    found.setdefault(keys[:length], said)
        return found


def _replaces(override: CommandOverride, key: tuple[str | int, ...]) -> bool:
    """Whether an override has put a list in the place of the one that a key is inside of; mappings are merged."""
    if override.parsed.is_sweep_override() or not isinstance(override.parsed.value(), list):
        return False
    return any(len(key) > len(path) and key[: len(path)] == path for path in override.paths)


@lru_cache(maxsize=8)
def _origins_in_files(
    versions: Sequence[tuple[Path, str, int]], project: Project
) -> Mapping[tuple[str | int, ...], str]:
    """Where each key of some files was written; the children of a sweep have them in common.

    Args:
        versions: a file, the package that it is placed under, and when it was changed, in the order of the merge.
        project: that the files are shown relative to.
    """
    found: dict[tuple[str | int, ...], str] = {}
    for path, package, _ in versions:
        prefix, file = tuple(package.split(".")) if package else (), _shown(path, project)
        for key, line in read_marks(path.read_text(encoding="utf-8-sig")).items():
            if key[0] != "defaults":
                found[(*prefix, *key)] = f"{file}:{line}"
    return found


def _shown(path: Path, project: Project) -> str:
    if path.is_relative_to(PRESETS):
        return f"packaged {path.relative_to(PRESETS).as_posix()}"
    return shown(path, project)


def _meant(config: DictConfig, message: str) -> str:
    """The key that an interpolation of an unknown one probably meant."""
    unknown = re.search(r"Interpolation key '([^']*)' not found", message)
    return did_you_mean(unknown[1], map(str, config)) if unknown else ""


def _circle(config: DictConfig, key: str | None) -> str:
    """The keys by which a value leads back to itself, in words; empty if it doesn't."""
    unresolved = OmegaConf.to_container(config, resolve=False)
    chain: list[str] = []
    while key is not None and key not in chain:
        chain.append(key)
        value: Any = unresolved
        for part in key.split("."):
            value = value.get(part) if isinstance(value, dict) else None
        reference = re.search(r"\$\{([\w.]+)\}", value) if isinstance(value, str) else None
        key = reference[1] if reference else None
    return "" if key is None else f": {' -> '.join([*chain[chain.index(key) :], key])}"


def compose(project: Project, overrides: Sequence[str]) -> Composition:
    """Composes one recipe.

    Args:
        project: where the recipes are.
        overrides: the command line's, `recipe=NAME` among them.

    Raises:
        UsageError: no recipe is chosen, it doesn't exist, or an override is malformed or stands for a sweep.
        CompositionError: a file is missing or can't be read, or a value can't be resolved.
        ForbiddenKey: the recipe or an override reaches for what it must not.
    """
    with hydra_for(project):
        read = read_overrides(overrides, user_groups(project))
        if not any(override.key == "recipe" for override in read):
            raise no_recipe(project, (override.key for override in read))
        with hydra_errors(project):
            return Composition(project, read, merge_layers(texts_for_hydra(read)))
