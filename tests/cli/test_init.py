"""`recipekit init` writes a recipe that is valid at once, runs nothing of the model, and leaves no half of anything."""

from __future__ import annotations

import json
import re
import shutil
import sys
from pathlib import Path

import pytest
import yaml

from recipekit.cli import main
from tests.built_models import built_once
from tests.models import built_flatbuffers as built
from tests.untrusted.hostile import LAMBDA, with_layer

pytestmark = [pytest.mark.tensorflow, pytest.mark.slow]

KERAS = ("photo.keras", "photo.h5", "table.keras", "text.keras", "wave.keras", "two.keras", "custom.keras")
ODD = ("lambda.keras", "net.keras", "old.h5", "old.keras", "photo.tflite", "module")


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built_once("first_models", tmp_path_factory)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, and the current one."""
    folder = tmp_path / "new"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.delenv("RECIPEKIT_RECIPES", raising=False)
    return folder


@pytest.mark.parametrize("name", [*KERAS, *ODD])
def test_the_first_recipe_of_any_model_is_valid_at_once(
    here: Path, models: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    (shutil.copytree if (models / name).is_dir() else shutil.copyfile)(models / name, here / name)
    assert main(["init", name, "--format", "json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["written"] == [f"recipes/{told['recipe']}.yaml", ".gitignore"]
    assert main(["validate", f"recipe={told['recipe']}"]) == 0
    page = yaml.safe_load((here / told["written"][0]).read_text())
    assert page["source"]["path"] == name
    assert page["representative_dataset"]["path"].startswith("data/calibration")
    assert any("data/calibration" in todo for todo in told["todo"])
    assert "tensorflow" not in sys.modules


def test_a_recipe_of_that_name_stays_as_it_is(here: Path, models: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copyfile(models / "table.keras", here / "table.keras")
    assert main(["init", "table.keras"]) == 0
    recipe = here / "recipes" / "table_int8.yaml"
    recipe.write_text("mine\n")
    capsys.readouterr()
    assert main(["init", "table.keras"]) == 2
    assert "recipes/table_int8.yaml: is there already" in capsys.readouterr().err
    assert recipe.read_text() == "mine\n"
    assert main(["init", "table.keras", "--for", "phone", "--name", "other"]) == 0
    assert yaml.safe_load((here / "recipes" / "other.yaml").read_text())["defaults"][0] == {
        "/converter": "dynamic_range"
    }
    assert main(["init", "table.keras", "--force"]) == 0
    assert "name: table_int8" in recipe.read_text()


def test_a_model_from_elsewhere_is_named_or_taken_along(
    here: Path, models: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["init", str(models / "table.keras")]) == 0
    first = yaml.safe_load((here / "recipes" / "table_int8.yaml").read_text())
    assert first["source"]["path"] == str(models / "table.keras")
    assert main(["init", str(models / "table.keras"), "--copy", "--name", "own"]) == 0
    own = yaml.safe_load((here / "recipes" / "own.yaml").read_text())
    assert own["source"]["path"] == "models/table.keras"
    assert (here / "models" / "table.keras").read_bytes() == (models / "table.keras").read_bytes()
    assert "wrote models/table.keras, recipes/own.yaml" in capsys.readouterr().out


def test_a_project_is_found_from_below_or_begun_in_another_folder(
    here: Path, models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copyfile(models / "table.keras", here / "table.keras")
    assert main(["init", "table.keras", "--directory", "deep/project"]) == 0
    page = yaml.safe_load((here / "deep" / "project" / "recipes" / "table_int8.yaml").read_text())
    assert page["source"]["path"] == str(here / "table.keras")
    below = here / "deep" / "project" / "src"
    below.mkdir()
    monkeypatch.chdir(below)
    assert main(["init", "../../../table.keras", "--name", "second"]) == 0
    assert (here / "deep" / "project" / "recipes" / "second.yaml").is_file()
    assert not (below / ".gitignore").exists()


def test_code_in_a_model_is_told_and_does_not_run(here: Path, models: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with_layer(models / "photo.keras", here / "bad.keras", LAMBDA)
    assert main(["init", "bad.keras"]) == 0
    assert "is a Lambda layer, which runs code that the file carries" in capsys.readouterr().out
    text = (here / "recipes" / "bad_int8.yaml").read_text()
    assert "# allow_unsafe: true" in text
    assert "allow_unsafe" not in yaml.safe_load(text)["source"]


def test_random_samples_come_on_demand_alone_and_are_marked(here: Path, models: Path) -> None:
    shutil.copyfile(models / "table.keras", here / "table.keras")
    assert main(["init", "table.keras", "--allow-random"]) == 0
    text = (here / "recipes" / "table_int8.yaml").read_text()
    data = yaml.safe_load(text)["representative_dataset"]
    assert (data["plugin"], data["allow_random"], data["inputs"]) == ("random", True, {"input_layer": [6]})
    assert "# RANDOM NUMBERS" in text


@pytest.mark.parametrize("name", ["../evil", "Bad Name", "a..b", "-a", "a" * 65])
def test_a_name_that_recipes_can_not_have_is_refused_with_one_that_they_can(
    here: Path, models: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    shutil.copyfile(models / "table.keras", here / "table.keras")
    assert main(["init", "table.keras", f"--name={name}"]) == 2
    error = capsys.readouterr().err
    assert "is no name of a recipe" in error
    (proposed,) = re.findall(r"^  fix: .* (\S+)$", error, re.MULTILINE)
    assert main(["init", "table.keras", f"--name={proposed}"]) == 0


def test_what_is_no_model_leaves_nothing_behind(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "m.keras").write_bytes(b"PK\3\4 broken")
    (here / "graph.pb").write_bytes(b"graph")
    built.write(here / "m.tflite", b"PK" * 40)
    ends = {name: main(["init", name]) for name in ("m.keras", "graph.pb", "m.tflite", "nowhere.keras", ".")}
    assert ends == {"m.keras": 5, "graph.pb": 2, "m.tflite": 5, "nowhere.keras": 2, ".": 2}
    assert main(["init", "m.keras", "--directory", "graph.pb"]) == 2
    errors = capsys.readouterr().err
    assert errors.count("\n  fix: ") == 6
    assert {it.name for it in here.iterdir()} == {"m.keras", "graph.pb", "m.tflite"}
