"""Projects for whole runs: a tiny one that converts in seconds, and a copy of the shipped one."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tests.built_models import built_once

ROOT = Path(__file__).resolve().parents[2]

Recipekit = Callable[..., "subprocess.CompletedProcess[str]"]


def recipekit(folder: Path, arguments: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """Runs the command in a project, as a user would."""
    command = [sys.executable, "-m", "recipekit.cli", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny project as built once for all test processes; copy it before writing into it."""
    return built_once("tiny_classifier", tmp_path_factory)


@pytest.fixture
def tiny(tiny_model: Path, tmp_path: Path) -> Path:
    """A copy of the tiny project, nothing built yet."""
    return Path(shutil.copytree(tiny_model, tmp_path / "tiny"))


@pytest.fixture(scope="session")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the shipped recipes with their model, nothing built yet."""
    folder = tmp_path_factory.mktemp("shipped")
    shutil.copytree(ROOT / "recipes", folder / "recipes")
    return folder
