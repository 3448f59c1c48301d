"""An output to verify, made once and copied for each test."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.whole_outputs import publish


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with one accepted output; not to be written into."""
    project = tmp_path_factory.mktemp("published")
    publish(project)
    return project


@pytest.fixture
def output(published: Path, tmp_path: Path) -> Path:
    """The output in a copy of the project."""
    project = shutil.copytree(published, tmp_path / "project", symlinks=True)
    return (project / "outputs" / "digits" / "latest").resolve()
