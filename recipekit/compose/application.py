"""Hydra's own application: sweeps, and the questions that Hydra answers about a composition.

A single run doesn't need it. Sweepers and launchers do, with everything that plugins of theirs can do.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import hydra
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

from recipekit.compose.choices import recipe_loader
from recipekit.compose.composition import Composition
from recipekit.compose.folders import user_groups
from recipekit.compose.layers import layers_of
from recipekit.compose.overrides import read_overrides, sweep_folder, texts_for_hydra
from recipekit.compose.refusals import hydra_errors
from recipekit.compose.session import PRIMARY, hydra_for, no_other_hydra, prepared
from recipekit.project import Project

Child = Callable[[Composition, int], None]
"""Runs one child of a sweep, given its composition and its number; it must not raise."""


def sweep(project: Project, overrides: Sequence[str], folder: Path, child: Child) -> None:
    """Lets Hydra's sweeper and launcher run every child of a sweep.

    Args:
        project: where the recipes are.
        overrides: the command line's, those that stand for several values among them.
        folder: Hydra's working folder of the sweep; each child gets a subfolder by its number.
        child: called for each child, in this process or in another one that the launcher starts.

    Raises:
        UsageError, CompositionError, ForbiddenKey: a child can't be composed; then none has run.
    """

    def task(config: DictConfig) -> None:
        settings = HydraConfig.get()
        texts: Any = OmegaConf.to_container(settings.overrides.task, resolve=False)
        read = read_overrides(texts, user_groups(project))
        with hydra_for(project):
            layers = layers_of(config, settings, texts)
        child(Composition(project, read, layers), int(settings.job.num))

    with hydra_errors(project):
        texts = texts_for_hydra(read_overrides(overrides, user_groups(project)))
        _run(project, ["--multirun", *texts, sweep_folder(folder)], task)


def answer(project: Project, flags: Sequence[str], overrides: Sequence[str]) -> None:
    """Has Hydra print what `--cfg`, `--info` or `-sc` ask for.

    Raises:
        UsageError, CompositionError, ForbiddenKey: the recipe can't be composed.
    """
    with hydra_errors(project):
        texts = overrides
        if "-sc" not in flags and "--shell-completion" not in flags:  # there the words are still being typed
            texts = texts_for_hydra(read_overrides(overrides, user_groups(project)))
        _run(project, [*flags, *texts], lambda _: None)


def _run(project: Project, arguments: list[str], task: Callable[[DictConfig], None]) -> None:
    with prepared(project), no_other_hydra(), _command_line(arguments), recipe_loader():
        hydra.main(version_base="1.3", config_path="pkg://recipekit.presets", config_name=PRIMARY)(task)()


@contextmanager
def _command_line(arguments: list[str]) -> Iterator[None]:
    """Hydra reads `sys.argv`, and prints and exits on errors unless told to raise them."""
    argv, full_error = sys.argv, os.environ.get("HYDRA_FULL_ERROR")
    sys.argv = [argv[0], *arguments]
    os.environ["HYDRA_FULL_ERROR"] = "1"
    try:
        yield
    finally:
        sys.argv = argv
        if full_error is None:
            del os.environ["HYDRA_FULL_ERROR"]
        else:
            os.environ["HYDRA_FULL_ERROR"] = full_error
