"""What every test of composition needs: a project on disk, and a Hydra that nobody left initialised."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pytest
from hydra.core.global_hydra import GlobalHydra

from recipekit.project import Project
from tests.recipe_projects import write_project


class MakeProject(Protocol):
    """Writes a recipes folder into the test's own folder."""

    def __call__(self, files: dict[str, str | bytes], env: tuple[str, ...] = ()) -> Project: ...


@pytest.fixture
def make_project(tmp_path: Path) -> MakeProject:
    def make(files: dict[str, str | bytes], env: tuple[str, ...] = ()) -> Project:
        return write_project(tmp_path, files, env)

    return make


@pytest.fixture(autouse=True)
def hydra_is_left_clean() -> Iterator[None]:
    root = logging.getLogger()
    level, handlers = root.level, list(root.handlers)
    yield
    assert not GlobalHydra.instance().is_initialized()
    root.setLevel(level)  # Hydra's `--info` logs to the standard output from then on
    root.handlers[:] = handlers
