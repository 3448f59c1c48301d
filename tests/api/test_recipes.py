"""Recipes read from a program: from any folder, in threads, beside a Hydra application, in a running event loop."""

from __future__ import annotations

import asyncio
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from omegaconf import OmegaConf

import recipekit
from recipekit.errors import ForbiddenKey, InvalidRecipe, ProjectError, UsageError
from recipekit.project import Project
from tests.recipe_projects import RECIPE, write_project


def test_a_right_recipe_is_valid_from_any_folder(project: Project) -> None:
    for place in (project.root, str(project.recipes), project.root / "recipes" / "models"):
        result = recipekit.validate("digits", project=place)
        assert result.valid
        assert result.require_valid() is result
        assert result.warnings[0].startswith("'acceptance' sets no bound")


def test_the_current_folder_is_the_project_where_none_is_named(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project.recipes)
    assert recipekit.validate("digits").valid


def test_a_project_that_is_named_beats_the_variable(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = write_project(tmp_path / "other", {"digits.yaml": RECIPE + "seed: 5\n"})
    monkeypatch.setenv("RECIPEKIT_RECIPES", str(other.recipes))
    assert recipekit.show("digits").resolved["seed"] == 5
    assert recipekit.show("digits", project=project.root).resolved["seed"] == 0


def test_a_wrong_recipe_is_a_result_and_an_error_for_whoever_insists(project: Project) -> None:
    result = recipekit.validate("wrong", project=project.root)
    assert (result.valid, result.id, result.exit_code) == (False, "RK201", 2)
    with pytest.raises(InvalidRecipe, match="'seed' must be at least 0") as caught:
        result.require_valid()
    assert "did you mean 'acceptance'?" in str(caught.value)


def test_overrides_are_those_of_the_command_line(project: Project) -> None:
    shown = recipekit.show("digits", overrides=["seed=7", "converter=float16"], project=project.root)
    assert (shown.resolved["seed"], shown.resolved["converter"]["quantization"]) == (7, "float16")
    origins = {setting.key: setting.origin for setting in shown.settings}
    assert origins["seed",] == "command line: seed=7"
    assert origins["name",].startswith("recipes/digits.yaml:")


def test_every_recipe_is_checked_and_listed(project: Project) -> None:
    results = recipekit.validate_all(project=project.root)
    assert [(result.recipe, result.valid) for result in results] == [
        ("digits", True),
        ("letters", True),
        ("schemes", True),
        ("wrong", False),
    ]
    assert recipekit.list_recipes(project=project.root)["digits"] == "Handwritten digits"


def test_one_more_folder_of_recipes_may_be_named(project: Project, tmp_path: Path) -> None:
    more = write_project(tmp_path, {"more.yaml": RECIPE}, folder="shared").recipes
    assert "more" in recipekit.list_recipes(project=project.root, config_dir=more)
    with pytest.raises(UsageError, match="no such folder"):
        recipekit.validate("more", project=project.root, config_dir=tmp_path / "gone")


def test_no_project_says_where_it_was_looked_for(elsewhere: Path) -> None:
    with pytest.raises(ProjectError, match="no folder 'recipes' here or above") as caught:
        recipekit.validate("digits")
    assert caught.value.where == str(elsewhere)
    with pytest.raises(ProjectError, match="there is no such folder"):
        recipekit.validate("digits", project=elsewhere / "gone")


def test_a_sweep_is_no_single_run(project: Project) -> None:
    with pytest.raises(UsageError, match=r"asks for a sweep\n  fix: call recipekit.sweep"):
        recipekit.run("schemes", project=project.root)


def test_threads_with_projects_of_their_own_get_their_own_recipes(project: Project, tmp_path: Path) -> None:
    others = [
        write_project(tmp_path / str(number), {"digits.yaml": f"{RECIPE}seed: {number}\n"}).root for number in range(8)
    ]
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda root: recipekit.show("digits", project=root).resolved["seed"], others * 3))
    assert found == list(range(8)) * 3


def test_a_hydra_application_of_the_user_stays_as_it_is(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME_OF_MINE", "here")
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "app.yaml").write_text("place: ${oc.env:HOME_OF_MINE}\n")
    with initialize_config_dir(str(tmp_path / "conf"), version_base="1.3"):
        before = compose("app")
        assert recipekit.validate("digits", project=project.root).valid
        assert recipekit.validate("schemes", project=project.root).valid
        assert compose("app").place == before.place == "here"
    assert not GlobalHydra.instance().is_initialized()


def test_the_guard_before_the_environment_stands_for_recipes_alone(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME_OF_MINE", "here")
    write_project(project.root, {"reads.yaml": RECIPE + "description: ${oc.env:HOME_OF_MINE}\n"})
    with pytest.raises(ForbiddenKey, match="HOME_OF_MINE"):
        recipekit.validate("reads", project=project.root).require_valid()
    assert OmegaConf.create({"place": "${oc.env:HOME_OF_MINE}"}).place == "here"


def test_a_running_event_loop_and_signal_handlers_are_left_alone(project: Project) -> None:
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    async def cell() -> bool:
        return recipekit.validate("digits", project=project.root).valid

    assert asyncio.run(cell())
    assert {number: signal.getsignal(number) for number in before} == before


def test_nothing_is_printed(project: Project, capfd: pytest.CaptureFixture[str]) -> None:
    recipekit.validate_all(project=project.root)
    recipekit.show("digits", project=project.root)
    assert capfd.readouterr() == ("", "")
