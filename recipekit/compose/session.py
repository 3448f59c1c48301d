"""Initialises Hydra for a project: the user's folders in front of the presets, and only listed variables readable.

Hydra's state belongs to the whole process. Threads take turns with it, and afterwards the process has again what it had
before: a Hydra application of the user's, and its resolver of environment variables.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from threading import RLock
from typing import Any

import hydra
import omegaconf
from hydra import initialize_config_module
from hydra.core.global_hydra import GlobalHydra
from omegaconf import OmegaConf
from omegaconf.basecontainer import BaseContainer

from recipekit.compose.choices import RecipeLoader, recipe_loader
from recipekit.compose.folders import recipe_folders
from recipekit.compose.sources import use_folders
from recipekit.errors import ForbiddenKey
from recipekit.project import Project
from recipekit.secrecy import is_secret_variable

PRIMARY = "recipekit"
"""Name of the packaged primary config."""

KNOWN_VERSIONS = ("1.3.8", "2.3.1")
"""Versions of Hydra and OmegaConf that are known to suit. Any others are compared with the requirements, which takes a
seventh of the time of `validate`."""

_RESOLVER = "oc.env"
_turn = RLock()


@contextmanager
def hydra_for(project: Project) -> Iterator[None]:
    """Hydra initialised for a project: its folder in front of the presets, and its list of readable variables."""
    with _turn, prepared(project):
        hydra = GlobalHydra.instance().hydra
        if hydra is not None and isinstance(hydra.config_loader, RecipeLoader):
            yield
            return
        with (
            no_other_hydra(),
            recipe_loader(),
            initialize_config_module("recipekit.presets", job_name=PRIMARY, version_base="1.3"),
        ):
            yield


@contextmanager
def prepared(project: Project) -> Iterator[None]:
    """Puts the project's folders on Hydra's search path, and guards the environment, in this process."""
    if (hydra.__version__, omegaconf.__version__) != KNOWN_VERSIONS:
        from recipekit.requirements import require  # noqa: PLC0415  see `KNOWN_VERSIONS`

        require("hydra-core", "omegaconf")
    use_folders(recipe_folders(project))
    with _guarded_environment(project):
        yield


@contextmanager
def resolving_for(project: Project) -> Iterator[None]:
    """Interpolations resolved for a project: its list of readable variables, and no other thread's."""
    with _turn, _guarded_environment(project):
        yield


@contextmanager
def no_other_hydra() -> Iterator[None]:
    """Puts aside a Hydra application that the process itself has started."""
    other = GlobalHydra.instance().hydra
    GlobalHydra.instance().clear()
    try:
        yield
    finally:
        GlobalHydra.instance().hydra = other


@contextmanager
def _guarded_environment(project: Project) -> Iterator[None]:
    """Replaces OmegaConf's `oc.env`, so that a recipe reads only the variables that the project lists."""

    def read(name: str, default: Any = None) -> Any:
        if is_secret_variable(name):
            raise ForbiddenKey(
                f"the recipe reads the environment variable '{name}', and every output records the recipe",
                fix="let the plugin that needs the secret read the variable itself, and pass it on to it in"
                f' pyproject.toml: [tool.recipekit] env = ["{name}"]',
            )
        if name in project.env:
            return os.environ.get(name, default)
        raise ForbiddenKey(
            f"the recipe reads the environment variable '{name}'",
            fix=f'allow it in pyproject.toml: [tool.recipekit] env = ["{name}"]',
        )

    before = BaseContainer._resolvers.get(_RESOLVER)
    OmegaConf.register_new_resolver(_RESOLVER, read, replace=True)
    try:
        yield
    finally:
        OmegaConf.clear_resolver(_RESOLVER)
        if before is not None:
            BaseContainer._resolvers[_RESOLVER] = before
