"""What is installed is held against recipekit's own metadata."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError

import pytest

from recipekit import requirements
from recipekit.errors import EnvironmentFault
from recipekit.requirements import require


@pytest.fixture(autouse=True)
def nothing_remembered() -> Iterator[None]:
    require.cache_clear()
    yield
    require.cache_clear()


def installed(monkeypatch: pytest.MonkeyPatch, version: str) -> None:
    def found(name: str) -> str:
        if not version:
            raise PackageNotFoundError(name)
        return version

    monkeypatch.setattr(requirements, "version", found)


def test_what_is_installed_here_is_enough() -> None:
    require("hydra-core", "omegaconf", "numpy", "ai-edge-litert", "keras")


def test_the_floors_are_those_of_the_advisories(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, version in (("hydra-core", "1.3.7"), ("keras", "3.12.3"), ("tf-keras", "2.20.1")):
        installed(monkeypatch, version)
        with pytest.raises(EnvironmentFault, match=f"{name} is installed in version {version}, and recipekit needs"):
            require(name)


def test_a_package_that_is_not_there_is_told_with_its_command(monkeypatch: pytest.MonkeyPatch) -> None:
    installed(monkeypatch, "")
    with pytest.raises(EnvironmentFault, match="tensorflow is not installed") as caught:
        require("tensorflow")
    assert caught.value.fix.startswith('pip install "tensorflow')
    assert caught.value.exit_code == 7


def test_a_release_candidate_above_the_floor_will_do(monkeypatch: pytest.MonkeyPatch) -> None:
    installed(monkeypatch, "1.3.9rc1")
    require("hydra-core")


def test_extras_are_nobodys_requirement(monkeypatch: pytest.MonkeyPatch) -> None:
    installed(monkeypatch, "0.0.1")
    require("librosa")


def test_run_from_its_source_folder_nothing_is_promised(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> list[str]:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(requirements, "requires", missing)
    installed(monkeypatch, "0.0.1")
    require("hydra-core")
