"""The settings of the Ray launcher: what is wrong with one is said with its key, and they add up to room on nodes."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recipekit.compose.grid import children
from recipekit.errors import UsageError
from recipekit.launching.ray.terms import Terms
from recipekit.project import Project
from tests.recipe_projects import RECIPE, write_project

NODE = {"CPU": 8.0, "memory": 16e9, "object_store_memory": 4e9, "GPU": 2.0, "accelerator_type:A100": 1.0}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return write_project(tmp_path / "project", {"digits.yaml": RECIPE})


def test_the_packaged_option_holds_every_setting_with_its_default(project: Project) -> None:
    grid = children(project, ["recipe=digits", "seed=1,2", "hydra/launcher=recipekit_ray"])
    assert grid is not None
    assert grid.launcher is not None
    assert grid.launcher.target == "recipekit.launching.ray.Ray"
    assert grid.launcher.settings.keys() == set(Terms.__struct_fields__)
    assert Terms.of(grid.launcher.settings) == Terms()


@pytest.mark.parametrize(
    ("settings", "where", "what"),
    [
        ({"num_cpus": -1}, "hydra.launcher.num_cpus", "expected `float` >= 0.0"),
        ({"num_gpus": "one"}, "hydra.launcher.num_gpus", "expected `float`, got `str`"),
        ({"resources": {"licence": "x"}}, "hydra.launcher.resources[...]", "expected `float`, got `str`"),
        ({"timeout_seconds": 0}, "hydra.launcher.timeout_seconds", "expected `float` > 0.0"),
        ({"max_in_flight": 0}, "hydra.launcher.max_in_flight", "expected `int` >= 1"),
        ({"cpus": 1}, "hydra.launcher", "object contains unknown field `cpus`"),
    ],
)
def test_a_setting_that_does_not_fit_is_named(settings: dict[str, Any], where: str, what: str) -> None:
    with pytest.raises(UsageError) as told:
        Terms.of(settings)
    assert (told.value.where, told.value.what) == (where, what)


@pytest.mark.parametrize(
    ("settings", "held"),
    [
        ({}, 8),
        ({"num_cpus": 3}, 2),
        ({"num_cpus": 0.1}, 80),
        ({"num_gpus": 0.5}, 4),
        ({"memory": 5_000_000_000}, 3),
        ({"resources": {"licence": 1}}, 0),
        ({"accelerator_type": "A100", "num_cpus": 2}, 4),
        ({"accelerator_type": "T4"}, 0),
    ],
)
def test_a_node_holds_as_many_children_as_its_scarcest_resource_allows(settings: dict[str, Any], held: int) -> None:
    assert Terms.of(settings).slots([NODE]) == held


@given(cpus=st.floats(0.01, 16), sizes=st.lists(st.integers(0, 64), max_size=6))
def test_what_nodes_hold_fits_on_each_of_them_and_one_more_would_not(cpus: float, sizes: list[int]) -> None:
    terms = Terms(num_cpus=cpus)
    for size in sizes:
        held = terms.slots([{"CPU": float(size)}])
        assert held * cpus <= size + cpus * 1e-6
        assert (held + 1) * cpus > size
    assert terms.slots({"CPU": float(size)} for size in sizes) <= math.fsum(sizes) / cpus + 1e-6


def test_a_child_is_never_tried_twice_and_takes_what_it_counts_as() -> None:
    terms = Terms(num_cpus=2, memory=10**9, accelerator_type="T4", resources={"licence": 1})
    assert terms.options == {
        "num_cpus": 2,
        "num_gpus": 0,
        "memory": 10**9,
        "accelerator_type": "T4",
        "resources": {"licence": 1},
        "max_retries": 0,
    }
    assert terms.needs == {"CPU": 2, "memory": 10**9, "licence": 1, "accelerator_type:T4": 0.001}


def test_a_folder_that_is_sent_leaves_outputs_and_store_at_home(project: Project) -> None:
    terms = Terms(runtime_env={"working_dir": str(project.root), "excludes": ["*.png"], "env_vars": {"A": "1"}})
    assert terms.sent(project) == {
        "working_dir": str(project.root),
        "excludes": ["*.png", "/outputs", "/outputs/.store"],
        "env_vars": {"A": "1"},
    }
    assert terms.place_of(project) == "."


def test_a_project_may_lie_below_the_folder_that_is_sent(project: Project) -> None:
    assert Terms(runtime_env={"working_dir": str(project.root.parent)}).place_of(project) == "project"


@pytest.mark.parametrize("runtime_env", [{}, {"working_dir": "/usr"}, {"env_vars": {"A": "1"}}])
def test_a_project_that_is_not_sent_has_the_same_path_everywhere(project: Project, runtime_env: dict[str, Any]) -> None:
    assert Terms(runtime_env=runtime_env).place_of(project) is None


def test_an_archive_elsewhere_holds_the_project_at_its_top_and_is_sent_by_nobody(project: Project) -> None:
    terms = Terms(runtime_env={"working_dir": "s3://bucket/project.zip"})
    assert terms.place_of(project) == "."
    assert terms.sent(project) == {"working_dir": "s3://bucket/project.zip"}


def test_a_folder_that_is_not_there_can_not_be_sent(project: Project) -> None:
    with pytest.raises(UsageError, match="there is no folder"):
        Terms(runtime_env={"working_dir": str(project.root / "nowhere")}).sent(project)
