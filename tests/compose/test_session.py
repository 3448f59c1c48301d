"""Hydra is made ready only where it is a version that recipekit takes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import hydra
import omegaconf
import pytest

from recipekit import requirements
from recipekit.compose.session import KNOWN_VERSIONS, prepared
from recipekit.errors import EnvironmentFault
from recipekit.project import Project


@pytest.fixture(autouse=True)
def nothing_remembered() -> Iterator[None]:
    requirements.require.cache_clear()
    yield
    requirements.require.cache_clear()


def test_the_versions_that_arent_looked_up_are_what_the_metadata_asks_for() -> None:
    asked = {requirement.name: requirement.specifier for requirement in requirements.declared()}
    for name, version in zip(("hydra-core", "omegaconf"), KNOWN_VERSIONS, strict=True):
        assert asked[name].contains(version)


@pytest.mark.parametrize("module", [hydra, omegaconf])
def test_any_other_version_is_looked_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: object) -> None:
    project = Project(root=tmp_path, recipes=tmp_path / "recipes", outputs=tmp_path / "outputs")
    monkeypatch.setattr(module, "__version__", "0.1")
    monkeypatch.setattr(requirements, "version", lambda _: "0.1")
    with pytest.raises(EnvironmentFault, match=r"is installed in version 0\.1"), prepared(project):
        pass
