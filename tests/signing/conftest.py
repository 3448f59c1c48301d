"""A project with an output that may be signed, and keys."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import NamedTuple

import pytest

from recipekit.signing.keys import PrivateKey, PublicKey, load_private, load_public
from tests.signing_keys import write_keys
from tests.whole_outputs import publish


class Keys(NamedTuple):
    """The two halves of a key."""

    private: PrivateKey
    public: PublicKey


def make_keys(folder: Path, name: str = "key", kind: str = "P-256") -> Keys:
    private, public = write_keys(folder, name, kind)
    return Keys(load_private(private, str), load_public(public))


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


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    return make_keys(tmp_path)


@pytest.fixture
def others(tmp_path: Path) -> Keys:
    """Of somebody else."""
    return make_keys(tmp_path, "other")
