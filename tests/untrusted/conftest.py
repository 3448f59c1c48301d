"""A project with one accepted output, and the promise that nothing which fails beside it may break."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple, Protocol

import pytest

from recipekit.errors import RecipekitError
from recipekit.pool import Pool
from tests.built_models import built_once
from tests.e2e.conftest import recipekit, run_here

OTHER_MODEL = ("~custom_layers", "~source.input_shapes")
"""Overrides for a source that isn't the project's own model."""


class Fault(NamedTuple):
    """How a run failed, whichever way it was started."""

    exit: int
    text: str


class Fails(Protocol):
    """Runs the recipe with overrides, expects a failure and that nothing else happened."""

    def __call__(self, *overrides: str, command: bool = False) -> Fault: ...


@pytest.fixture(scope="session")
def accepted(tmp_path_factory: pytest.TempPathFactory, pool: Pool) -> Path:
    """The tiny project with an accepted output; copy it before writing into it."""
    project = tmp_path_factory.mktemp("accepted") / "tiny"
    shutil.copytree(built_once("tiny_classifier", tmp_path_factory), project)
    assert run_here(project, pool, "recipe=tiny").exit_code == 0
    return project


@pytest.fixture
def project(accepted: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(accepted, tmp_path / "tiny", symlinks=True))


@pytest.fixture
def fails(project: Path, pool: Pool, record_property: Callable[[str, object], None]) -> Fails:
    def fails(*overrides: str, command: bool = False) -> Fault:
        with nothing_else_happens(project):
            fault = _by_command(project, overrides) if command else _in_process(project, pool, overrides)
        assert "Traceback" not in fault.text
        assert re.search(r"^  fix: \S", fault.text, re.MULTILINE), fault.text
        record_property("exit", fault.exit)
        return fault

    return fails


def _by_command(project: Path, overrides: tuple[str, ...]) -> Fault:
    child = recipekit(project, ["run", "recipe=tiny", *overrides])
    return Fault(child.returncode, child.stderr)


def _in_process(project: Path, pool: Pool, overrides: tuple[str, ...]) -> Fault:
    with pytest.raises(RecipekitError) as caught:
        run_here(project, pool, "recipe=tiny", *overrides)
    return Fault(caught.value.exit_code, str(caught.value))


@contextmanager
def nothing_else_happens(project: Path) -> Iterator[None]:
    """No version appears, `latest` and older ones stay as they are, nothing lies about, and nothing outside changes."""
    before = _published(project), _outside(project)
    yield
    assert (_published(project), _outside(project)) == before
    staged = (project / "outputs" / ".staging").glob("*")
    assert not [path for path in staged if path.is_dir()]  # `.work` keeps the stage, to be tried alone


def _published(project: Path) -> dict[str, object]:
    """Every visible file of every output, and where each link points."""
    root = project / "outputs"
    visible = (path for path in root.rglob("*") if not path.relative_to(root).parts[0].startswith("."))
    return {
        str(path.relative_to(root)): path.readlink() if path.is_symlink() else path.read_bytes()
        for path in visible
        if path.is_symlink() or path.is_file()
    }


def _outside(project: Path) -> set[str]:
    """What lies beside the project, where a file that escapes would land."""
    return {path.name for path in project.parent.iterdir()}
