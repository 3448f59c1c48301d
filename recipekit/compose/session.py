"""Hydra made ready for a project: the user's folders in front of the presets, and a guard before the environment."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from hydra import initialize_config_module
from hydra.core.global_hydra import GlobalHydra
from omegaconf import OmegaConf

from recipekit.compose.choices import recipe_loader
from recipekit.compose.folders import recipe_folders
from recipekit.compose.sources import use_folders
from recipekit.errors import ForbiddenKey
from recipekit.project import Project
from recipekit.requirements import require
from recipekit.secrecy import is_secret_variable

PRIMARY = "recipekit"
"""Name of the packaged primary config."""


@contextmanager
def hydra_for(project: Project) -> Iterator[None]:
    """Hydra initialised for a project: its folder in front of the presets, and its list of readable variables."""
    prepare(project)
    if GlobalHydra.instance().is_initialized():
        yield
        return
    with recipe_loader(), initialize_config_module("recipekit.presets", job_name=PRIMARY, version_base="1.3"):
        yield


def prepare(project: Project) -> None:
    """Puts the project's folders on Hydra's search path, and guards the environment, in this process."""
    require("hydra-core", "omegaconf")
    use_folders(recipe_folders(project))
    _guard_environment(project)


def _guard_environment(project: Project) -> None:
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

    OmegaConf.register_new_resolver("oc.env", read, replace=True)
