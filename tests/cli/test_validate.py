"""`validate`: one recipe or all, every fault with its place, and the worst exit code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from recipekit.cli.validate import main
from recipekit.errors import ProjectError, UsageError
from recipekit.project import Project
from tests.recipe_projects import RECIPE, write_project


def results(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, list[dict[str, object]]]:
    code = main([*arguments, "--format", "json"])
    return code, json.loads(capsys.readouterr().out)


def test_a_right_recipe_is_valid(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["recipe=digits"]) == 0
    printed = capsys.readouterr()
    assert printed.out == "valid   digits\n"
    assert "warning digits: 'acceptance' sets no bound" in printed.err


def test_a_wrong_recipe_is_told_every_fault_with_its_line(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["recipe=wrong"]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "invalid wrong\nerror RK201: the recipe has 2 faults:" in printed.err
    assert "recipes/wrong.yaml:9: 'seed' must be at least 0" in printed.err
    assert "recipes/wrong.yaml:10: unknown key 'acceptence'; did you mean 'acceptance'?" in printed.err


def test_all_recipes_are_checked_and_the_worst_decides(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    code, found = results(capsys, "--all")
    assert code == 2
    assert [(result["recipe"], result["exit_code"], result["id"]) for result in found] == [
        ("digits", 0, None),
        ("letters", 0, None),
        ("wrong", 2, "RK201"),
    ]


def test_one_file_that_cannot_be_read_leaves_the_others_judged(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    write_project(project.root, {"broken.yaml": "a: [", "evil.yaml": "_target_: x\n", "latin.yaml": b"a: \xe9\n"})
    code, found = results(capsys, "--all")
    assert code == 2
    assert {result["recipe"]: result["id"] for result in found} == {
        "broken": "RK202",
        "digits": None,
        "evil": "RK203",
        "latin": "RK202",
        "letters": None,
        "wrong": "RK201",
    }


@pytest.mark.parametrize(
    "arguments", [["recipe=wrong", "seed=1", "~acceptence"], ["seed=1", "recipe=wrong", "~acceptence"]]
)
def test_overrides_are_part_of_what_is_checked(
    project: Project, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    assert results(capsys, *arguments)[0] == 0


def test_an_override_is_named_as_the_place_of_its_fault(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    code, (result,) = results(capsys, "recipe=digits", "converter.quantisation=int8")
    assert code == 2
    assert result["error"] == (
        "command line: converter.quantisation=int8: unknown key 'converter.quantisation'; did you mean 'quantization'?"
    )


@pytest.mark.parametrize("arguments", [[], ["seed=1"], ["--all", "recipe=digits"]])
def test_one_recipe_or_all_of_them_must_be_named(project: Project, arguments: list[str]) -> None:
    with pytest.raises(UsageError, match="one recipe or all"):
        main(arguments)


def test_another_folder_can_be_named(project: Project, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = write_project(tmp_path / "other", {"far.yaml": RECIPE.replace("/converter: none", "/converter: mine")})
    more = write_project(tmp_path / "more", {"converter/mine.yaml": "quantization: float16\n"}, folder="options")
    assert main(["--recipes", str(other.recipes), "recipe=far"]) == 2
    assert main(["recipe=far", "--recipes", str(other.recipes), "--config-dir", str(more.recipes)]) == 0
    with pytest.raises(ProjectError):
        main(["--recipes", str(tmp_path / "gone"), "--all"])
    with pytest.raises(UsageError, match="no such folder"):
        main(["recipe=digits", "-cd", str(tmp_path / "gone")])
