"""`recipekit schema` prints the schema; with --editor it writes those of the project and says how to use them."""

from __future__ import annotations

import json

import pytest

from recipekit.cli import main
from recipekit.language import recipe_schema
from recipekit.project import Project


def test_the_schema_is_printed_as_it_is(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema"]) == 0
    assert json.loads(capsys.readouterr().out) == recipe_schema()
    assert not (project.root / ".recipekit").exists()


def test_an_editor_gets_files_a_setting_and_a_line(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema", "--editor"]) == 0
    said = capsys.readouterr().out
    setting = json.loads(said[said.index("{") : said.rindex("}") + 1])["yaml.schemas"]
    for name in setting:
        assert json.loads((project.root / name).read_text())["type"] == "object"
    assert setting[".recipekit/recipe.schema.json"] == ["recipes/*.yaml", "recipes/boards/*.yaml"]
    assert said.endswith("# yaml-language-server: $schema=../.recipekit/recipe.schema.json\n")
    assert (project.root / ".recipekit" / ".gitignore").read_text() == "*\n"


def test_written_again_the_files_are_the_same(project: Project) -> None:
    assert main(["schema", "--editor"]) == 0
    before = {path: path.read_bytes() for path in (project.root / ".recipekit").iterdir()}
    assert main(["schema", "--editor"]) == 0
    assert {path: path.read_bytes() for path in (project.root / ".recipekit").iterdir()} == before


def test_a_folder_that_can_not_be_written_is_an_error_of_its_own(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    (project.root / ".recipekit").write_text("")
    assert main(["schema", "--editor"]) == 7
    assert "error RK702" in capsys.readouterr().err
