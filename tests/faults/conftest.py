"""The standing project for every test of the fault table, and their exit codes as properties of the report."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.faults.standing import Standing, built


@pytest.fixture(scope="session")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(tmp_path_factory)


@pytest.fixture
def standing(pristine: Path, tmp_path: Path, record_property: Callable[[str, object], None]) -> Iterator[Standing]:
    """A copy of the project with an accepted output; the exit codes of what fails in it are recorded."""
    project = Standing(pristine, tmp_path / "project")
    yield project
    for code in dict.fromkeys(project.codes):
        record_property("exit", code)
