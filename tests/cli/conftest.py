"""A project on disk for the verbs, and the command as a user starts it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Protocol

import pytest

from recipekit.project import Project
from tests.recipe_projects import RECIPE, recipe, write_project


class Command(Protocol):
    """Runs `recipekit` in the project as a process of its own."""

    def __call__(self, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]: ...


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """Two recipes that are right, one that has two faults; the current directory is theirs."""
    files: dict[str, str | bytes] = {
        "digits.yaml": recipe("/converter: none", body="description: Handwritten digits\n"),
        "letters.yaml": RECIPE,
        "wrong.yaml": RECIPE + "seed: -1\nacceptence: {}\n",
        "boards/m4.yaml": "# @package _global_\nseed: 4\n",
        "models/m.keras": b"PK",
    }
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("RECIPEKIT_RECIPES", raising=False)
    return write_project(tmp_path, files)


@pytest.fixture
def command(project: Project) -> Command:
    def run(*arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "recipekit.cli", *arguments],
            cwd=project.root,
            env={**os.environ, **env},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return run
