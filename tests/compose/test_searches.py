"""A search is composed as any sweep is: by Hydra's rules, and refused before anything runs where it can't be."""

from __future__ import annotations

import re

import pytest

from recipekit.compose.composition import compose
from recipekit.compose.grid import children
from recipekit.compose.searches import Search, search_of
from recipekit.errors import RecipekitError, UsageError
from recipekit.project import Project
from recipekit.validation import validate_recipe
from tests.compose.conftest import MakeProject
from tests.recipe_projects import RECIPE, recipe

SETTINGS = "objectives: {size.ratio: minimize}, n_trials: 7, params: {seed: '1,2', 'converter': 'none,float16'}"
SEARCHED = recipe("override /hydra/sweeper: recipekit_optuna", "/converter: none") + (
    f"hydra: {{mode: MULTIRUN, sweeper: {{{SETTINGS}}}}}\n"
)
CHOSEN = "hydra/sweeper=recipekit_optuna"


@pytest.fixture
def project(make_project: MakeProject) -> Project:
    return make_project(
        {
            "digits.yaml": RECIPE,
            "searched.yaml": SEARCHED,
            "wrong.yaml": SEARCHED.replace("none,float16", "none,flot16"),
            "asking.yaml": RECIPE + "description: ${hydra:job.num}\n",
        }
    )


def search(project: Project, *overrides: str) -> Search:
    found = search_of(project, overrides)
    assert found is not None
    return found


def test_a_recipe_holds_a_whole_search(project: Project) -> None:
    found = search(project, "recipe=searched")
    assert {parameter.key: str(parameter) for parameter in found.parameters} == {
        "seed": "choice(1, 2)",
        "converter": "choice(none, float16)",
    }
    assert found.fixed == ("recipe=searched",)
    assert (found.settings["objectives"], found.settings["n_trials"]) == ({"size.ratio": "minimize"}, 7)
    assert children(project, ["recipe=searched"]) is None


def test_the_command_line_replaces_objectives_and_parameters(project: Project) -> None:
    objectives = "hydra.sweeper.objectives={parity.rmse: minimize, size.bytes: minimize}"
    found = search(project, "recipe=searched", objectives, "converter=int8", "seed=interval(0,1)")
    assert found.settings["objectives"] == {"parity.rmse": "minimize", "size.bytes": "minimize"}
    assert [parameter.key for parameter in found.parameters] == ["seed"]
    assert set(found.fixed) == {"recipe=searched", "converter=int8"}
    assert compose(project, ["recipe=searched", objectives]).sweeps
    assert children(project, ["recipe=searched", objectives]) is None
    with pytest.raises(UsageError, match=r"Could not override 'hydra\.sweeper\.objectives'"):
        children(project, ["recipe=digits", "seed=1,2", objectives])


def test_a_child_is_what_the_same_overrides_compose(project: Project) -> None:
    found = search(project, "recipe=digits", CHOSEN, "converter=none,int8", "seed=int(interval(1,9))", "name=x")
    child = found.child({"converter": "int8", "seed": 5})
    grid = children(project, ["recipe=digits", "converter=int8", "seed=5", "name=x"])
    assert grid is not None
    ((_, same),) = grid
    assert (child.mapping, child.overrides, child.files) == (same.mapping, same.overrides, same.files)


def test_every_choice_stands_in_a_corner_once(project: Project) -> None:
    found = search(project, "recipe=digits", CHOSEN, "converter=none,int8,float16", "name=x,y", "seed=interval(1,2)")
    assert [child.overrides for child in found.corners()] == [
        ("converter=none", "name=x", "seed=1.0"),
        ("converter=int8", "name=x", "seed=1.0"),
        ("converter=float16", "name=x", "seed=1.0"),
        ("converter=none", "name=y", "seed=1.0"),
    ]


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        (("recipe=digits", CHOSEN, "converter=none,flot16"), "did you mean 'float16'"),
        (("recipe=wrong",), "there is no option of 'converter' 'flot16'"),
        (("recipe=digits", CHOSEN, "seed=3"), "there is nothing to search"),
        (("recipe=digits", CHOSEN, "seed=1,2", "hydra/launcher=joblib"), "the launcher takes all at once"),
        (("recipe=asking", CHOSEN, "seed=1,2"), "can't ask Hydra about its job"),
        (("recipe=digits", CHOSEN, "seed=1,2", "hydra.sweeper.n_trails=3"), "Could not override"),
    ],
)
def test_what_cannot_be_searched_is_refused_before_anything_runs(
    project: Project, overrides: tuple[str, ...], said: str
) -> None:
    with pytest.raises(RecipekitError, match=re.escape(said)) as caught:
        search_of(project, overrides)
    assert isinstance(caught.value, UsageError)


def test_another_sweeper_is_no_search(project: Project) -> None:
    assert search_of(project, ["recipe=digits", "seed=1,2"]) is None


@pytest.mark.slow
def test_a_recipe_that_searches_is_validated_by_every_choice(project: Project) -> None:
    assert validate_recipe(project, ["recipe=searched"]).error is None
    wrong = validate_recipe(project, ["recipe=wrong"])
    assert (wrong.exit_code, wrong.id) == (2, "RK101")
    elsewhere = validate_recipe(project, ["recipe=searched", "hydra/launcher=joblib"])
    assert elsewhere.error is None, "where a recipe runs says nothing about whether it is right"
