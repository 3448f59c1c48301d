"""Projects for whole runs: a tiny one that converts in seconds, and a copy of the shipped one."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from filelock import FileLock

ROOT = Path(__file__).resolve().parents[2]

Recipekit = Callable[..., "subprocess.CompletedProcess[str]"]


def recipekit(folder: Path, arguments: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """Runs the command in a project, as a user would."""
    command = [sys.executable, "-m", "recipekit.cli", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny project as built once for all test processes; copy it before writing into it."""
    root = tmp_path_factory.getbasetemp()
    root = root.parent if root.name.startswith("popen-") else root
    folder, unfinished = root / "tiny", root / "tiny.part"
    with FileLock(root / "tiny.lock"):
        if not folder.exists():
            unfinished.mkdir()
            builder = ROOT / "tests" / "models" / "tiny_classifier.py"
            child = subprocess.run(
                [sys.executable, str(builder), str(unfinished)], capture_output=True, text=True, check=False
            )
            assert child.returncode == 0, child.stderr
            unfinished.rename(folder)
    return folder


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
