"""`validate`: one recipe or all, every fault with its place, and the worst exit code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from recipekit.cli.validate import main
from recipekit.errors import ProjectError, UsageError
from recipekit.project import Project
from tests.processor_time import spent_by
from tests.recipe_projects import RECIPE, recipe, write_project


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


SWEPT = RECIPE + 'hydra: {mode: MULTIRUN, sweeper: {params: {converter: "none,int8,int16x8", seed: "0,1,-1"}}}\n'


def test_every_child_of_a_recipe_that_is_a_sweep_is_checked(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    write_project(project.root, {"swept.yaml": SWEPT})
    code, (result,) = results(capsys, "recipe=swept")
    assert (code, result["id"]) == (2, "RK201")
    lines = str(result["error"]).splitlines()
    assert lines[0] == "converter=none seed=-1 (and 2 more): command line: seed=-1: 'seed' must be at least 0, got -1"
    (told,) = [line for line in lines if line.startswith("converter=int8 seed=0 (and 1 more): ")]
    assert "needs calibration data" in told


def test_a_sweep_whose_children_are_right_is_valid_though_it_is_not_by_itself(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    text = SWEPT.replace("none,int8,int16x8", "none,float16").replace("0,1,-1", "0,1") + "seed: ???\n"
    write_project(project.root, {"swept.yaml": text})
    assert main(["recipe=swept"]) == 0
    printed = capsys.readouterr()
    assert printed.out == "valid   swept\n"
    assert printed.err.count("sets no bound") == 1


@pytest.mark.slow
def test_a_sweep_for_another_launcher_is_checked_all_the_same(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    write_project(
        project.root, {"swept.yaml": SWEPT.replace("/converter: none", "/hydra/launcher: joblib\n  - /converter: none")}
    )
    code, (result,) = results(capsys, "recipe=swept")
    assert (code, result["id"]) == (2, "RK201")


def test_all_means_the_recipes_of_one_more_folder_too(
    project: Project, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    more = write_project(tmp_path, {"far.yaml": RECIPE, "wrong.yaml": RECIPE}, folder="more")
    _, found = results(capsys, "--all", "--config-dir", str(more.recipes))
    assert {result["recipe"]: result["exit_code"] for result in found} == {
        "digits": 0,
        "far": 0,
        "letters": 0,
        "wrong": 2,
    }


@pytest.mark.slow
def test_a_hundred_recipes_are_checked_in_a_few_seconds(project: Project) -> None:
    body = "acceptance: {parity: {sqnr_db: {min: %d}}}\n"
    write_project(project.root, {f"r{n}.yaml": recipe("/converter: int16x8", body=body % n) for n in range(100)})
    spent = spent_by(["-m", "recipekit.cli", "validate", "--all"], project.root, times=1, code=2)
    assert spent.seconds < 6  # 3 s on a machine of its own
    assert spent.err.count("invalid r") == 100
