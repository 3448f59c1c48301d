"""The README and the docs keep their word: light commands print what they show to the letter, recipes are valid."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from recipekit import registry
from recipekit.cli import main
from recipekit.contracts import DatasetSpec
from recipekit.faults import find_faults
from recipekit.recipe import parse
from recipekit.worker.engines.ai_edge_schemes import ALGORITHMS
from recipekit.worker.samples import open_samples
from recipekit.worker.scoring import open_metrics
from tests.pages import ROOT, Command, blocks, commands, page

README, PLUGINS, OPTIMIZE, ENGINES = map(page, ("README.md", "plugins.md", "optimize.md", "engines.md"))


def is_heavy(command: str) -> bool:
    """Whether a command builds something, or looks at what was built."""
    return command.startswith("recipekit run") or "/latest" in command


LIGHT = [command for command in commands(README) if not is_heavy(command.line)]


@pytest.fixture(autouse=True)
def plugins_of_a_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """Plugins that a page registers are forgotten with the test."""
    monkeypatch.setattr(registry, "_project", {kind: {} for kind in registry._BUILT_IN})


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("readme")
    shutil.copytree(ROOT / "recipes", folder / "recipes")
    return folder


@pytest.mark.parametrize("command", LIGHT, ids=lambda command: command.line)
def test_a_light_command_prints_what_the_readme_shows(
    command: Command, project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(project)
    code = main(command.arguments)
    said = capsys.readouterr()
    assert code == command.exit_code
    if command.printed:
        assert said.out + said.err == command.printed


def test_the_readmes_recipe_is_the_shipped_one() -> None:
    (recipe,) = blocks(README, "yaml")
    assert yaml.safe_load(recipe) == yaml.safe_load((ROOT / "recipes" / "mobilenet_int8.yaml").read_text())


@pytest.mark.parametrize("section", blocks(ENGINES, "yaml"))
def test_the_docs_converter_sections_are_valid(section: str) -> None:
    mapping = {
        "name": "x",
        "version": "1.0.0",
        "source": {"kind": "keras", "path": "x"},
        "representative_dataset": {"plugin": "digits"},
        "converter": yaml.safe_load(section),
    }
    assert parse(mapping, ROOT, lambda _: "").converter.quantization == mapping["converter"]["quantization"]


@pytest.mark.parametrize("section", blocks(OPTIMIZE, "yaml"))
def test_the_docs_optimizations_are_valid(section: str) -> None:
    mapping = {
        "name": "x",
        "version": "1.0.0",
        "source": {"kind": "keras", "path": "x"},
        "representative_dataset": {"plugin": "digits"},
        "converter": {"quantization": "int8"},
        "optimize": (declared := yaml.safe_load(section)).get("optimize", declared),
    }
    assert parse(mapping, ROOT, lambda _: "").optimize is not None


def test_the_docs_algorithms_are_those_of_the_engine() -> None:
    assert all(f"`{name}`" in ENGINES for name in ALGORITHMS)


def test_every_link_leads_somewhere() -> None:
    pages = [
        (README, ROOT),
        *((page.read_text(encoding="utf-8"), page.parent) for page in (ROOT / "docs").glob("*.md")),
    ]
    for text, folder in pages:
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", text):
            assert (folder / target).exists(), target


def test_the_docs_plugin_is_read_by_the_docs_recipe(tmp_path: Path) -> None:
    code, _ = blocks(PLUGINS, "python")
    recipes = [yaml.safe_load(block) for block in blocks(PLUGINS, "yaml")]
    *others, recipe = [recipe for recipe in recipes if "representative_dataset" in recipe]
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / "two_clouds.py").write_text(code)
    dataset: dict[str, Any] = recipe["representative_dataset"]
    document = {
        "name": "x",
        "version": "1.0.0",
        "source": {"kind": "keras", "path": "x"},
        "converter": {"quantization": "none"},
    }
    assert [other["representative_dataset"]["plugin"] for other in others] == ["wav_folder", "tfrecord"]
    for shown in (*others, recipe):
        assert find_faults({**document, **shown}, "recipe") == []
    spec = DatasetSpec(
        plugin=dataset.pop("plugin"),
        modules=tuple(dataset.pop("modules")),
        params=dataset,
        samples=None,
        shuffle=True,
        seed=3,
        preprocess=(),
        project_root=str(tmp_path),
    )
    samples = list(open_samples(spec, None, tmp_path))
    assert len(samples) == 200
    assert samples[0].tensors["point"].dtype == np.float32


def test_the_docs_metric_is_opened_by_the_docs_recipe(tmp_path: Path) -> None:
    _, code = blocks(PLUGINS, "python")
    (metrics,) = (yaml.safe_load(block)["evaluation"]["metrics"] for block in blocks(PLUGINS, "yaml")[-1:])
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / "within.py").write_text(code)
    (metric,) = open_metrics(metrics, tmp_path).values()
    assert metric.score(np.array([1.0, 2.0]), {"angle": np.array([[1.2], [3.0]])}, None) == 0.5


def test_the_docs_name_every_dataset_metric_and_sound_step() -> None:
    for kind in ("datasets", "metrics"):
        for name in registry.names(kind):
            if registry.target(kind, name).startswith("recipekit."):
                assert f"`{name}`" in PLUGINS
    assert all(f"`{step}`" in PLUGINS for step in ("log_mel", "mfcc"))
