"""A task that travels means the same project wherever it is opened."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from recipekit import fsio
from recipekit.compose.composition import compose
from recipekit.launching.parcel import pack, recipes_in, unpack
from recipekit.launching.task import Task
from recipekit.pipeline import Settings, read_job
from recipekit.project import Project
from recipekit.sweeps import copy_recipes
from tests.recipe_projects import RECIPE, write_project


def task_of(project: Project, *overrides: str) -> Task:
    return Task(3, read_job(compose(project, ["recipe=digits", *overrides])), Settings().for_child("s1", 3))


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return write_project(tmp_path / "here", {"digits.yaml": RECIPE})


def test_at_the_same_root_a_task_comes_out_as_it_went_in(project: Project) -> None:
    task = task_of(project, "seed=7")
    out = unpack(pack(task), project.root)
    assert out.job._replace(origins=tuple) == task.job._replace(origins=tuple)
    assert (out.number, out.settings) == (3, task.settings)
    assert out.job.origins() == task.job.origins()


def test_at_another_root_paths_in_the_project_lead_there_and_outputs_stay(project: Project, tmp_path: Path) -> None:
    task, there = task_of(project), tmp_path / "there"
    job = unpack(pack(task), there).job
    assert job.project == msgspec.structs.replace(project, root=there, recipes=there / "recipes")
    assert job.project.store == project.store
    assert job.file == there / "recipes" / "digits.yaml"
    assert job.recipe.model.source.path == str(there / "models" / "m.keras")
    assert [path for path in job.files if path.is_relative_to(there)] == [job.file]
    assert [path for path in job.files if not path.is_relative_to(there)] == [
        path for path in task.job.files if not path.is_relative_to(project.root)
    ]


def test_a_sweep_s_copy_of_the_recipes_stays_where_all_nodes_find_it(project: Project, tmp_path: Path) -> None:
    folder = project.outputs / "sweeps" / "s1"
    copying, _ = copy_recipes(project, folder)
    job = unpack(pack(task_of(copying)), tmp_path / "there").job
    assert job.file == folder / "copied" / "0" / "recipes" / "digits.yaml"
    assert job.project.declared(job.file) == tmp_path / "there" / "recipes" / "digits.yaml"


def test_where_outputs_are_shared_by_url_the_recipes_of_the_copy_come_along_and_are_read_where_they_are_put(
    project: Project, tmp_path: Path
) -> None:
    copying, _ = copy_recipes(project, project.outputs / "sweeps" / "s1")
    assert recipes_in(pack(task_of(copying))) == {}, "all machines have the folder"
    task = task_of(msgspec.structs.replace(copying, shared_outputs="s3://team/outputs"))
    parcel = pack(task)
    assert recipes_in(parcel) == {"0/recipes/digits.yaml": RECIPE.encode()}
    here = tmp_path / "node"
    (here / "0" / "recipes").mkdir(parents=True)
    (here / "0" / "recipes" / "digits.yaml").write_bytes(recipes_in(parcel)["0/recipes/digits.yaml"])
    said = task.job.origins()
    fsio.remove_tree(project.outputs / "sweeps")
    job = unpack(parcel, project.root, here).job
    assert job.file == here / "0" / "recipes" / "digits.yaml"
    assert job.project.declared(job.file) == project.recipes / "digits.yaml"
    assert job.origins() == said


def test_what_a_recipe_says_is_recorded_as_it_says_it_wherever_it_is_opened(project: Project, tmp_path: Path) -> None:
    task = task_of(project, f"source.path={project.root}/models/other.keras")
    job = unpack(pack(task), tmp_path / "there").job
    assert job.recipe.resolved == task.job.recipe.resolved
    assert job.recipe.model.source.path == str(tmp_path / "there" / "models" / "other.keras")


def test_a_neighbour_whose_name_begins_like_the_project_is_no_part_of_it(project: Project, tmp_path: Path) -> None:
    task = task_of(project, f"source.path={project.root}er/m.keras")
    assert unpack(pack(task), tmp_path / "there").job.recipe.model.source.path == f"{project.root}er/m.keras"
