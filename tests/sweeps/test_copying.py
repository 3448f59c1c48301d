"""A sweep's copy holds what recipes can be composed of, in the same places, and no secret a second time."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from recipekit.build import define, pin_inputs
from recipekit.compose.composition import compose
from recipekit.compose.grid import children
from recipekit.digests import canonical_json
from recipekit.inputs import check_unchanged
from recipekit.pipeline import read_job
from recipekit.project import Project
from recipekit.surroundings import Surroundings
from recipekit.sweeps import copy_recipes
from recipekit.sweeps.copying import digests_of_copies
from tests.recipe_projects import RECIPE, recipe, write_project

SECRET = "ghp_" + "s3Cr" * 10
FILES: dict[str, str | bytes] = {
    "digits.yaml": recipe("/converter: float16", "/boards: m4"),
    "derived.yaml": "defaults:\n  - digits\n  - _self_\nname: derived\n",
    "boards/m4.yaml": "# @package _global_\nseed: 4\n",
    "notes.md": "# not a recipe\n",
    "data/points.csv": "1,2\n",
}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    found = write_project(tmp_path / "project", FILES)
    (found.recipes / "empty").mkdir()
    extra = tmp_path / "shared" / "options"
    extra.mkdir(parents=True)
    (extra / "shared.yaml").write_text(RECIPE)
    return found.with_config_dir(extra)


def copied(project: Project) -> Project:
    return copy_recipes(project, project.outputs / "sweeps" / "s1")[0]


def test_the_copy_composes_to_the_same_and_calls_files_by_their_places_in_the_project(project: Project) -> None:
    copy = copied(project)
    for name in ("digits", "derived", "shared"):
        own, other = (compose(each, [f"recipe={name}", "seed=7"]) for each in (project, copy))
        assert other.mapping == own.mapping
        assert (other.recipe, other.overrides) == (own.recipe, own.overrides)
        assert other.file.is_relative_to(project.outputs)
        assert [copy.declared(path) for path in other.files] == list(own.files)
        assert read_job(other).origins() == read_job(own).origins()
    assert compose(copy, ["recipe=digits"]).origin(("seed",)) == "recipes/boards/m4.yaml:2"


def test_the_build_definition_is_the_same_with_the_copy_and_without_it(project: Project) -> None:
    (project.root / "models").mkdir()
    (project.root / "models" / "m.keras").write_bytes(b"PK")
    copy, surroundings = copied(project), Surroundings(project.root)
    for name in ("derived", "shared"):
        jobs = [read_job(compose(each, [f"recipe={name}", "seed=7"])) for each in (project, copy)]
        own, other = (define(job, pin_inputs(job, surroundings), {}, surroundings) for job in jobs)
        assert canonical_json(other) == canonical_json(own)
        assert str(project.outputs) not in str(other)
    (project.recipes / "digits.yaml").write_text("name: edited\n")
    pinned = pin_inputs(jobs[1], surroundings)
    (copied_file,) = [entry for entry in pinned if entry.role == "recipe-file"]
    check_unchanged(copied_file)


def test_an_edit_of_a_recipe_changes_nothing_of_what_the_copy_composes_to(project: Project) -> None:
    copy = copied(project)
    grid = children(copy, ["recipe=digits", "seed=1,2", "converter=int8,float16"])
    assert grid is not None
    for path in project.recipes.rglob("*.yaml"):
        path.write_text("name: edited\n")
    assert {child.mapping["name"] for _, child in grid} == {"digits"}
    again = children(copy, ["recipe=digits", "seed=1,2"])
    assert again is not None
    assert [child.mapping["seed"] for _, child in again] == [1, 2]


def test_only_recipes_and_options_are_copied_and_every_group_is_there(project: Project) -> None:
    copy = copied(project)
    assert copy.copied is not None
    names = {path.relative_to(copy.copied).as_posix() for path in copy.copied.rglob("*")}
    folders = {"0", "0/recipes", "0/recipes/boards", "0/recipes/data", "0/recipes/empty", "1", "1/options"}
    files = {"0/recipes/digits.yaml", "0/recipes/derived.yaml", "0/recipes/boards/m4.yaml", "1/options/shared.yaml"}
    assert names == folders | files
    assert set(digests_of_copies(copy)) == files


def test_a_file_with_a_secret_is_linked_and_its_digest_tells_whether_it_stays(project: Project) -> None:
    (project.recipes / "leaky.yaml").write_text(f"{RECIPE}# {SECRET}\n")
    copy = copied(project)
    link = copy.recipe_folders[0] / "leaky.yaml"
    assert link.is_symlink()
    assert not link.readlink().is_absolute(), "so that it still leads there in a project that was moved"
    assert compose(copy, ["recipe=leaky"]).mapping["name"] == "digits"
    before = digests_of_copies(copy)
    (project.recipes / "leaky.yaml").write_text(RECIPE)
    assert digests_of_copies(copy) != before


def test_what_can_not_be_read_keeps_no_sweep_from_its_copy(project: Project) -> None:
    os.mkfifo(project.recipes / "pipe.yaml")
    (project.recipes / "dangling.yaml").symlink_to("nowhere.yaml")
    (project.recipes / "folder.yaml").mkdir()
    (project.recipes / "latin.yaml").write_bytes(b"name: \xe9\n")
    (project.recipes / "huge.yaml").write_bytes(b"# " + b"x" * (5 << 20))
    (project.recipes / "boards" / "back").symlink_to(project.recipes)
    copy = copied(project)
    folder = copy.recipe_folders[0]
    assert {path.name for path in folder.iterdir() if path.is_symlink()} == {"pipe.yaml", "dangling.yaml", "huge.yaml"}
    assert (folder / "latin.yaml").read_bytes() == b"name: \xe9\n"
    assert (folder / "folder.yaml").is_dir()
    assert not (folder / "boards" / "back" / "boards" / "back").exists(), "a link that leads back is followed once"
    assert compose(copy, ["recipe=digits"]).mapping["seed"] == 4


def test_outputs_below_the_recipes_folder_are_not_copied(tmp_path: Path) -> None:
    root = write_project(tmp_path, {"digits.yaml": RECIPE}, folder="")
    project = Project(root=tmp_path.parent, recipes=root.recipes, outputs=root.recipes / "outputs")
    copy = copied(project)
    assert copy.copied is not None
    assert set(digests_of_copies(copy)) == {f"0/{tmp_path.name}/digits.yaml"}
