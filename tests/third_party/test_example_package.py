"""A package of somebody else's: built, installed and found by the command, as its guide says from the first line."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.pages import ROOT, all_blocks, commands, page

pytestmark = pytest.mark.slow

PACKAGE = Path(__file__).parent / "recipekit_example"
GUIDE = page("plugin_package.md")


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder into which pip has installed the package, built offline from a copy."""
    folder = tmp_path_factory.mktemp("third_party")
    source, target = shutil.copytree(PACKAGE, folder / "source"), folder / "target"
    options = ["--no-index", "--no-deps", "--no-build-isolation", "--disable-pip-version-check", "--quiet"]
    command = [sys.executable, "-m", "pip", "install", *options, "--target", str(target), str(source)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return target


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project that uses the package."""
    return Path(shutil.copytree(PACKAGE / "project", tmp_path_factory.mktemp("user") / "project"))


def child(installed: Path, folder: Path, *line: str) -> subprocess.CompletedProcess[str]:
    variables = {**os.environ, "PYTHONPATH": f"{installed}{os.pathsep}{ROOT}"}
    return subprocess.run(
        [sys.executable, "-m", *line], cwd=folder, env=variables, capture_output=True, text=True, check=False
    )


def recipekit(installed: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return child(installed, folder, "recipekit.cli", *arguments)


def test_what_it_offers_is_listed(installed: Path, project: Path) -> None:
    done = recipekit(installed, project, "list", "--format", "json")
    plugins = json.loads(done.stdout)["plugins"]
    assert "waves" in plugins["datasets"]
    assert "confusion_cost" in plugins["metrics"]
    assert "matched_filter" in plugins["sources"]
    assert "halving" in plugins["engines"]


def test_without_it_the_recipe_is_told_what_there_is(project: Path, tmp_path: Path) -> None:
    done = recipekit(tmp_path, project, "validate", "recipe=waves_int8")
    assert done.returncode == 2
    assert "'waves'" in done.stderr


def test_its_own_tests_pass(installed: Path, tmp_path: Path) -> None:
    tests = shutil.copytree(PACKAGE / "tests", tmp_path / "tests")
    done = child(installed, tests, "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(tests), str(tests))
    assert done.returncode == 0, done.stdout
    assert "3 passed" in done.stdout


@pytest.mark.tensorflow
def test_a_recipe_that_uses_all_of_it_is_accepted_and_records_its_code(installed: Path, project: Path) -> None:
    done = recipekit(installed, project, "run", "recipe=waves_int8", "--format", "json")
    assert done.returncode == 0, done.stderr
    outcome = json.loads(done.stdout)
    assert outcome["status"] == "accepted"
    manifest = (Path(outcome["output"]) / "manifest.json").read_text()
    for module in ("waves", "cost", "layers", "models"):
        assert f"recipekit_example.{module}" in manifest


@pytest.mark.tensorflow
def test_a_source_and_an_engine_of_it_are_chosen_by_name_and_recorded(installed: Path, project: Path) -> None:
    done = recipekit(installed, project, "run", "recipe=waves_half", "--format", "json")
    assert done.returncode == 0, done.stderr
    outcome = json.loads(done.stdout)
    assert outcome["status"] == "accepted"
    manifest = (Path(outcome["output"]) / "manifest.json").read_text()
    assert "recipekit_example.source:load" in manifest
    assert "recipekit_example.engine:Halving" in manifest


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("source.kind=matched_filtr", "there is no kind of source 'matched_filtr'; did you mean 'matched_filter'?"),
        ("converter.engine=halvng", "there is no engine 'halvng'; did you mean 'halving'?"),
        ("source.loader=auto", "unknown key 'source.loader'"),
    ],
)
def test_a_name_or_key_that_nobody_offers_is_refused(installed: Path, project: Path, override: str, said: str) -> None:
    done = recipekit(installed, project, "validate", "recipe=waves_half", override)
    assert done.returncode == 2
    assert said in done.stderr


@pytest.mark.tensorflow
def test_a_parameter_that_it_refuses_is_told_with_its_place(installed: Path, project: Path) -> None:
    done = recipekit(installed, project, "run", "recipe=waves_int8", "representative_dataset.classes=1")
    assert done.returncode == 5
    assert "'classes' is 1" in done.stderr
    assert "give a number from 2 to 7" in done.stderr


def test_every_file_of_the_guide_is_the_package_s() -> None:
    shown = {block.file: block.text for block in all_blocks(GUIDE) if block.file}
    assert {name for name in shown if name.endswith(".py")} >= {
        "src/recipekit_example/waves.py",
        "src/recipekit_example/cost.py",
        "src/recipekit_example/layers.py",
        "src/recipekit_example/models.py",
        "src/recipekit_example/source.py",
        "src/recipekit_example/engine.py",
        "tests/test_plugins.py",
    }
    for name, text in shown.items():
        assert text.partition("\n")[2] == (PACKAGE / name).read_text(), name


def test_the_guide_s_commands_are_those_that_were_run() -> None:
    lines = [command.line for command in commands(GUIDE)]
    assert lines == [
        "pip install --no-build-isolation -e .",
        "pytest -q tests",
        "recipekit list",
        "recipekit run recipe=waves_int8",
        "recipekit run recipe=waves_half",
    ]
