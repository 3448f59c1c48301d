"""A project for the functions, and a current folder that is not in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from recipekit.project import Project
from tests.recipe_projects import RECIPE, recipe, write_project


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, in no project."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.delenv("RECIPEKIT_RECIPES", raising=False)
    return folder


@pytest.fixture
def project(tmp_path: Path, elsewhere: Path) -> Project:
    """Two recipes that are right, one that has two faults, and a sweep; the current folder is elsewhere."""
    files: dict[str, str | bytes] = {
        "digits.yaml": recipe("/converter: none", body="description: Handwritten digits\n"),
        "letters.yaml": RECIPE,
        "wrong.yaml": RECIPE + "seed: -1\nacceptence: {}\n",
        "schemes.yaml": RECIPE + "hydra: {mode: MULTIRUN, sweeper: {params: {seed: '1,2'}}}\n",
        "models/m.keras": b"PK",
    }
    return write_project(tmp_path / "mine", files)
