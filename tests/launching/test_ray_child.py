"""A child opens nothing where recipekit, Python, the project or the outputs are not those of its driver."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
import pytest

from recipekit.compose.composition import compose
from recipekit.errors import EnvironmentFault
from recipekit.launching.parcel import pack
from recipekit.launching.ray import child
from recipekit.launching.task import Task
from recipekit.outcome import Outcome
from recipekit.pipeline import Settings, read_job
from recipekit.project import Project
from recipekit.sweeps import copy_recipes
from tests.recipe_projects import RECIPE, write_project

NOWHERE: frozenset[str] = frozenset()


@pytest.fixture
def project(tmp_path: Path) -> Project:
    found = write_project(tmp_path / "here", {"digits.yaml": RECIPE})
    (found.outputs / "sweeps" / "s1").mkdir(parents=True)
    return found


@pytest.fixture
def task(project: Project) -> Task:
    return Task(0, read_job(compose(project, ["recipe=digits"])), Settings().for_child("s1", 0))


def refusal(task: Task, wanted: child.Origin) -> EnvironmentFault:
    with pytest.raises(EnvironmentFault) as told:
        child.outcome_of(pack(task), wanted)
    return told.value


@pytest.mark.parametrize("name", ["Python", "recipekit"])
def test_another_version_is_told_before_the_task_is_opened(project: Project, name: str) -> None:
    wanted = child.origin(project.root, None, NOWHERE)
    wanted["versions"] = {**wanted["versions"], name: "9.9"}
    with pytest.raises(EnvironmentFault) as told:
        child.outcome_of(b"of another recipekit", wanted)
    assert told.value.what.startswith(f"outputs depend on {name}, which is ")
    assert told.value.what.endswith(" there and 9.9 at the sweep's own process")


def test_a_project_that_is_not_at_its_path_is_told_with_both_ways_out(task: Task, tmp_path: Path) -> None:
    wanted = child.origin(tmp_path / "elsewhere", None, NOWHERE)
    told = refusal(task, wanted)
    assert told.what == f"the project's folder {tmp_path / 'elsewhere'} isn't there"
    assert "hydra.launcher.runtime_env.working_dir=." in told.fix


def test_a_working_directory_without_the_project_is_told(
    task: Task, project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "node").mkdir()
    monkeypatch.chdir(tmp_path / "node")
    assert "isn't there" in refusal(task, child.origin(project.root, ".", NOWHERE)).what


def test_an_outputs_folder_of_the_same_name_is_not_taken_for_the_drivers(task: Task, project: Project) -> None:
    (project.outputs / "sweeps" / "s1").rmdir()
    told = refusal(task, child.origin(project.root, None, NOWHERE))
    assert told.what == f"the outputs folder {project.outputs} there is not the one of the sweep's own process"
    assert "outputs = FOLDER" in told.fix
    assert "shared_outputs = URL" in told.fix


def test_where_outputs_are_shared_by_url_a_node_needs_no_folder_of_the_drivers(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mount").mkdir()
    shared = msgspec.structs.replace(project, shared_outputs=(tmp_path / "mount").as_uri())
    copying, _ = copy_recipes(shared, project.outputs / "sweeps" / "s1")
    parcel = pack(Task(0, read_job(compose(copying, ["recipe=digits"])), Settings().for_child("s1", 0)))
    project.outputs.rename(tmp_path / "of-the-driver")
    monkeypatch.setenv("RECIPEKIT_OUTPUTS", str(tmp_path / "node"))
    wanted = child.origin(project.root, None, NOWHERE)
    outcome = msgspec.json.decode(child.outcome_of(parcel, wanted), type=Outcome)
    assert outcome.failure is not None
    assert outcome.failure.id == "RK301", "the recipe's model isn't there, which is the child's own affair"
    assert not project.outputs.exists()
    monkeypatch.setenv("RECIPEKIT_OUTPUTS", str(project.recipes / "digits.yaml" / "below-a-file"))
    with pytest.raises(EnvironmentFault, match="the node has no outputs folder, and can't make one") as told:
        child.outcome_of(parcel, wanted)
    assert "RECIPEKIT_OUTPUTS=FOLDER" in told.value.fix


def test_a_child_has_the_drivers_variables_where_outputs_depend_on_them(
    task: Task, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", "0")
    wanted = child.origin(project.root, None, frozenset({"TZ"}))
    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", "1")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")  # as Ray sets it in its processes
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3")
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    outcome = msgspec.json.decode(child.outcome_of(pack(task), wanted), type=Outcome)
    assert outcome.failure is not None
    assert outcome.failure.id == "RK301", "the recipe's model isn't there, which is the child's own affair"
    assert os.environ["TF_ENABLE_ONEDNN_OPTS"] == "0"
    assert "OMP_NUM_THREADS" not in os.environ
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "3", "which devices there are is Ray's to say"
    assert os.environ["TZ"] == "Asia/Tokyo", "the runtime environment sets it"
