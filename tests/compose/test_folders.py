"""What lies in a project's recipes folders."""

from __future__ import annotations

from pathlib import Path

from recipekit.compose.folders import recipe_files, shown, user_groups
from tests.compose.conftest import MakeProject
from tests.recipe_projects import RECIPE, write_project


def test_recipes_are_files_and_groups_are_folders(make_project: MakeProject) -> None:
    project = make_project({"b.yaml": RECIPE, "a.yaml": RECIPE, "boards/m4.yaml": "", "notes.txt": ""})
    assert list(recipe_files(project)) == ["a", "b"]
    assert user_groups(project) == ("boards",)


def test_one_more_folder_adds_recipes_and_hides_none(make_project: MakeProject, tmp_path: Path) -> None:
    more = write_project(tmp_path, {"a.yaml": RECIPE, "b.yaml": RECIPE, "extra/x.yaml": ""}, folder="more")
    project = make_project({"b.yaml": RECIPE, "c.yaml": RECIPE}).with_config_dir(more.recipes)
    assert recipe_files(project) == {
        "a": more.recipes / "a.yaml",
        "b": project.recipes / "b.yaml",
        "c": project.recipes / "c.yaml",
    }
    assert user_groups(project) == ("extra",)


def test_a_file_is_shown_from_the_root_where_it_lies_below_it(make_project: MakeProject, tmp_path: Path) -> None:
    project = make_project({"a.yaml": RECIPE})
    assert shown(project.recipes / "a.yaml", project) == "recipes/a.yaml"
    assert shown(tmp_path.parent / "far.yaml", project) == str(tmp_path.parent / "far.yaml")
