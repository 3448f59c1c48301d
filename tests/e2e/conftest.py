"""Projects for whole runs: a tiny one that converts in seconds, and a copy of the shipped one."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from rich.console import Console

from recipekit.cli.screen import Screen
from recipekit.compose.composition import compose
from recipekit.outcome import Outcome
from recipekit.pipeline import Facilities, Settings, read_job, run_job
from recipekit.pool import Pool
from recipekit.project import find_project
from recipekit.store import Store
from recipekit.surroundings import Surroundings
from tests.built_models import built_once
from tests.commands import command
from tests.installation import remembered

ROOT = Path(__file__).resolve().parents[2]

Recipekit = Callable[..., "subprocess.CompletedProcess[str]"]


def recipekit(folder: Path, arguments: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """Runs the command in a project, as a user would."""
    done = command(folder, arguments, seconds=1800, tensorflow=True)
    return subprocess.CompletedProcess(["recipekit", *arguments], done.code, done.out, done.err)


def run_here(
    project: Path, pool: Pool, *overrides: str, rebuild: bool = False, screen: Screen | None = None
) -> Outcome:
    """One run in this process, with workers that other runs use, too."""
    found = find_project(project)
    screen = screen or Screen(Console(quiet=True))
    with remembered(), Store(found.store).lease() as lease:
        facilities = Facilities(pool, lease, Surroundings(found.root))
        return run_job(read_job(compose(found, overrides)), facilities, screen, Settings(rebuild=rebuild))


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
