"""Puts options that the command line chooses behind the recipe in merge order, so that they override its own keys.

Hydra merges an option at the place of its group in the defaults list. A recipe's own keys come behind its groups, so
they would override an option that somebody typed. Nothing else of Hydra's order changes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, cast

import hydra._internal.hydra as hydra_application
from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra._internal.defaults_list import DefaultsList
from hydra.core.default_element import ResultDefault
from hydra.core.override_parser.types import Override
from hydra.types import RunMode
from omegaconf import DictConfig

from recipekit.compose.reach import is_hydras


def chosen_last(defaults: Sequence[ResultDefault], overrides: Sequence[Override]) -> list[ResultDefault]:
    """The files of a composition in merge order, those of options that overrides choose behind all others.

    Args:
        defaults: in Hydra's order.
        overrides: the command line's; those that stand for several values choose nothing yet.
    """
    chosen = [override for override in overrides if _chooses(override)]
    moved = {default.config_path for default in defaults if any(_is_of(default, override) for override in chosen)}
    while inherited := {default.config_path for default in defaults if default.parent in moved} - moved:
        moved |= inherited
    return sorted(defaults, key=lambda default: default.config_path in moved)


class RecipeLoader(ConfigLoaderImpl):
    """Hydra's loader with that order, in whatever process a launcher composes a job."""

    _overrides: Sequence[Override] = ()

    def compute_defaults_list(self, config_name: str | None, overrides: list[str], run_mode: RunMode) -> DefaultsList:
        """The defaults list of a composition."""
        found = super().compute_defaults_list(config_name, overrides, run_mode)
        found.defaults = chosen_last(found.defaults, self._overrides)
        return found

    def _parse_overrides_and_create_caching_repo(self, config_name: str | None, overrides: list[str]) -> Any:
        parsed, repository = super()._parse_overrides_and_create_caching_repo(config_name, overrides)
        self._overrides = parsed
        return parsed, repository

    def _compose_config_from_defaults_list(self, defaults: list[ResultDefault], repo: Any) -> DictConfig:
        return super()._compose_config_from_defaults_list(chosen_last(defaults, self._overrides), repo)


@contextmanager
def recipe_loader() -> Iterator[None]:
    """A Hydra that is started inside of it loads recipes with `RecipeLoader`."""
    application = cast("Any", hydra_application)  # the name is imported there, not exported
    own = application.ConfigLoaderImpl
    application.ConfigLoaderImpl = RecipeLoader
    try:
        yield
    finally:
        application.ConfigLoaderImpl = own


def _chooses(override: Override) -> bool:
    """Whether an override names options, provided that its key is a group; the recipe itself is none of a recipe's."""
    key = override.key_or_group
    names = not (override.is_sweep_override() or override.is_delete()) and isinstance(override.value(), str | list)
    return names and key != "recipe" and not is_hydras(key)


def _is_of(default: ResultDefault, override: Override) -> bool:
    value: Any = override.value()
    options = value if isinstance(value, list) else [value]
    placed = override.package is None or default.package == override.package
    return placed and any(default.config_path == f"{override.key_or_group}/{option}" for option in options)
