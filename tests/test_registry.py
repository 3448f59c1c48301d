"""Plugins are names until they are used: built in, installed by a package, or registered by a project."""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from recipekit import registry
from recipekit.errors import PluginError, UsageError

PACKAGE = Path(registry.__file__).parent
KINDS = ("sources", "datasets", "metrics", "engines")
BUILT_IN = [(kind, name) for kind in KINDS for name in registry.names(kind)]


@pytest.fixture(autouse=True)
def fresh_tables(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(registry, "_project", {kind: {} for kind in KINDS})
    registry._targets.cache_clear()
    registry.installed_plugins.cache_clear()
    yield
    registry._targets.cache_clear()
    registry.installed_plugins.cache_clear()


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Puts a distribution with these entry points, and a module `frames_pkg`, on the import path."""

    def put(entry_points: str) -> None:
        info = tmp_path / "frames_pkg-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: frames-pkg\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(entry_points)
        (tmp_path / "frames_pkg.py").write_text("class Frames:\n    pass\n")
        monkeypatch.syspath_prepend(str(tmp_path))

    return put


@pytest.mark.parametrize(("kind", "name"), BUILT_IN)
def test_a_built_in_plugin_has_its_module_and_object(kind: str, name: str) -> None:
    module, _, attribute = registry.target(kind, name).partition(":")
    file = PACKAGE.parent / f"{module.replace('.', '/')}.py"
    defined = {getattr(node, "name", None) for node in ast.parse(file.read_text()).body}
    assert attribute in defined


@pytest.mark.parametrize("kind", KINDS)
def test_names_are_sorted_and_there_are_some(kind: str) -> None:
    assert registry.names(kind)
    assert list(registry.names(kind)) == sorted(registry.names(kind))


def test_an_installed_plugin_is_named_without_being_imported(install: Callable[[str], None]) -> None:
    install("[recipekit.datasets]\nframes = frames_pkg:Frames\n")
    assert "frames" in registry.names("datasets")
    assert registry.target("datasets", "frames") == "frames_pkg:Frames"
    assert "frames_pkg" not in sys.modules
    assert registry.plugin("datasets", "frames").__name__ == "Frames"


@pytest.mark.parametrize("value", ["missing_pkg:Frames", "frames_pkg:Missing"])
def test_an_installed_plugin_that_cannot_be_loaded_is_named(install: Callable[[str], None], value: str) -> None:
    install(f"[recipekit.datasets]\nframes = {value}\n")
    with pytest.raises(PluginError, match="'frames' of datasets") as caught:
        registry.plugin("datasets", "frames")
    assert caught.value.where == value


def test_an_installed_plugin_cannot_take_a_built_in_name(install: Callable[[str], None]) -> None:
    install("[recipekit.datasets]\nnpz = frames_pkg:Frames\n")
    with pytest.raises(PluginError, match="'npz' like a built-in") as caught:
        registry.names("datasets")
    assert caught.value.where == "frames_pkg:Frames"


def test_a_registered_plugin_is_found_by_its_name() -> None:
    @registry.register("metrics", "my_metric")
    def metric() -> None: ...

    assert "my_metric" in registry.names("metrics")
    assert registry.plugin("metrics", "my_metric") is metric
    assert registry.target("metrics", "my_metric").startswith(f"{__name__}:")


def test_a_project_cannot_replace_a_built_in_plugin() -> None:
    with pytest.raises(PluginError, match="has a plugin 'npz' already") as caught:
        registry.register("datasets", "npz")(dict)
    assert caught.value.where == "builtins"


@pytest.mark.parametrize("kind", ["dataset", "Datasets", ""])
def test_an_unknown_kind_is_refused_with_the_known_ones(kind: str) -> None:
    with pytest.raises(UsageError) as caught:
        registry.register(kind, "x")(dict)
    assert "sources, datasets, metrics, engines" in caught.value.fix


def test_an_unknown_name_gets_the_nearest() -> None:
    with pytest.raises(UsageError, match="did you mean 'top1_accuracy'"):
        registry.target("metrics", "top1_acuracy")
