"""`list`: what there is to choose from, read without composing anything."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from recipekit.cli.list import main
from recipekit.errors import UsageError
from recipekit.project import Project
from tests.recipe_projects import write_project


def listed(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    assert main(["--format", "json", *arguments]) == 0
    return json.loads(capsys.readouterr().out)


def test_recipes_groups_and_plugins_are_listed(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    found = listed(capsys)
    assert found["recipes"] == {"digits": "Handwritten digits", "letters": "", "wrong": ""}
    assert {"int8", "float16", "none"} <= set(found["groups"]["converter"])
    assert found["groups"]["boards"] == ["m4"]
    assert "models" not in found["groups"]
    assert "digits" in found["plugins"]["datasets"]
    assert set(found["plugins"]) == {"sources", "datasets", "metrics", "engines"}


def test_the_text_says_the_same(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    printed = capsys.readouterr().out
    assert "recipes\n  digits   Handwritten digits\n  letters\n  wrong\n\ngroups\n" in printed
    assert "  boards: m4\n" in printed
    assert "  engines: ai_edge_quantizer, tflite_converter\n" in printed


@pytest.mark.parametrize("columns", [40, 60, 100])
def test_a_terminal_gets_lines_that_fit_and_break_between_words(
    columns: int, project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([]) == 0
    piped = capsys.readouterr().out
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    assert main([]) == 0
    shown = capsys.readouterr().out
    assert max(map(len, shown.splitlines())) <= columns
    assert shown.split() == piped.split()


@pytest.mark.parametrize(
    "content",
    [
        b"a: [",
        b"description: caf\xe9\n",
        b"description: " + b"[" * 3000,
        b"a0: &a0 [x]\n"
        + b"".join(b"a%d: &a%d [%s]\n" % (n, n, b",".join([b"*a%d" % (n - 1)] * 10)) for n in range(1, 9)),
    ],
)
def test_a_recipe_that_cannot_be_read_is_listed_all_the_same(
    project: Project, capsys: pytest.CaptureFixture[str], content: bytes
) -> None:
    write_project(project.root, {"broken.yaml": content})
    assert listed(capsys)["recipes"]["broken"] == "(can't be read: see recipekit validate)"


@pytest.mark.parametrize("content", [b"", b"- a\n", b"just text\n", b"description: null\n"])
def test_a_recipe_without_a_description_is_listed(
    project: Project, capsys: pytest.CaptureFixture[str], content: bytes
) -> None:
    write_project(project.root, {"bare.yaml": content})
    assert listed(capsys)["recipes"]["bare"] in {"", "None"}


def test_an_empty_project_is_listed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "recipes").mkdir()
    assert listed(capsys, "--recipes", str(tmp_path / "recipes"))["recipes"] == {}


def test_one_more_folder_adds_its_options_and_recipes(
    project: Project, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files: dict[str, str | bytes] = {
        "converter/mine.yaml": "quantization: int8\n",
        "far.yaml": "description: one more\n",
        "digits.yaml": "description: hidden\n",
    }
    more = write_project(tmp_path, files, folder="more")
    found = listed(capsys, "--config-dir", str(more.recipes))
    assert "mine" in found["groups"]["converter"]
    assert found["recipes"] == {"digits": "Handwritten digits", "far": "one more", "letters": "", "wrong": ""}


def test_list_takes_no_overrides(project: Project) -> None:
    with pytest.raises(UsageError, match="recipe=digits"):
        main(["recipe=digits"])
