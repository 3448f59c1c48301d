"""The project is found from the command line, the environment, pyproject.toml or the folders above, in that order."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from recipekit.errors import ProjectError
from recipekit.project import find_project


@pytest.fixture(autouse=True)
def no_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RECIPEKIT_RECIPES", raising=False)
    monkeypatch.delenv("RECIPEKIT_OUTPUTS", raising=False)
    monkeypatch.delenv("RECIPEKIT_STORE", raising=False)
    monkeypatch.delenv("RECIPEKIT_SHARED_STORE", raising=False)
    monkeypatch.delenv("RECIPEKIT_SHARED_OUTPUTS", raising=False)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Four recipes folders to choose from, and a place deep inside to start from."""
    for name in ("named/recipes", "variable/recipes", "settings/recipes", "recipes", "src/deep"):
        (tmp_path / name).mkdir(parents=True)
    return tmp_path


def settings(folder: Path, text: str) -> Path:
    path = folder / "pyproject.toml"
    path.write_text(text)
    return path


def test_the_nearest_recipes_folder_upwards_is_the_project_s(home: Path) -> None:
    project = find_project(home / "src" / "deep")
    assert (project.root, project.recipes, project.outputs) == (home, home / "recipes", home / "outputs")
    (home / "src" / "recipes").mkdir()
    assert find_project(home / "src" / "deep").root == home / "src"


def test_each_way_to_name_the_folder_beats_those_behind_it(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    start = home / "src" / "deep"
    settings(home, '[tool.recipekit]\nrecipes = "settings/recipes"\n')
    assert find_project(start).recipes == home / "settings" / "recipes"
    monkeypatch.setenv("RECIPEKIT_RECIPES", str(home / "variable" / "recipes"))
    assert find_project(start).recipes == home / "variable" / "recipes"
    named = find_project(start, home / "named" / "recipes")
    assert (named.recipes, named.root) == (home / "named" / "recipes", home / "named")


def test_a_relative_folder_and_an_empty_variable(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(home)
    monkeypatch.setenv("RECIPEKIT_RECIPES", "")
    assert find_project(home).recipes == home / "recipes"
    assert find_project(home, Path("named/recipes")).recipes == home / "named" / "recipes"


def test_settings_are_read_from_the_nearest_file_that_has_them(home: Path) -> None:
    settings(
        home,
        '[tool.recipekit]\noutputs = "built"\nenv = ["CI"]\nstage_timeout = 60\nmemory_limit_mib = 512.5\n',
    )
    settings(home / "src", "[tool.black]\nline-length = 100\n")
    project = find_project(home / "src" / "deep")
    assert project.outputs == home / "built"
    assert (project.env, project.stage_timeout, project.memory_limit_mib) == (("CI",), 60, 512.5)


def test_each_way_to_name_the_store_beats_those_behind_it(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    start = home / "src" / "deep"
    assert find_project(start).store == home / "outputs" / ".store"
    settings(home, '[tool.recipekit]\noutputs = "built"\n')
    assert find_project(start).store == home / "built" / ".store"
    settings(home, '[tool.recipekit]\nstore = "kept"\n')
    assert find_project(start).store == home / "kept"
    monkeypatch.setenv("RECIPEKIT_STORE", "")
    assert find_project(start).store == home / "kept"
    monkeypatch.setenv("RECIPEKIT_STORE", str(home / "shared"))
    assert find_project(start).store == home / "shared"
    monkeypatch.chdir(start)
    monkeypatch.setenv("RECIPEKIT_STORE", "here")
    assert find_project(home).store == start / "here"


def test_the_variable_of_the_outputs_beats_the_setting_and_takes_the_store_along(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings(home, '[tool.recipekit]\noutputs = "built"\n')
    elsewhere = find_project(home)
    monkeypatch.setenv("RECIPEKIT_OUTPUTS", "")
    assert find_project(home) == elsewhere
    monkeypatch.setenv("RECIPEKIT_OUTPUTS", str(home / "scratch"))
    project = find_project(home)
    assert (project.outputs, project.store) == (home / "scratch", home / "scratch" / ".store")
    assert elsewhere.on_this_machine() == project, "a project of another machine is told the same"


def test_one_more_folder_is_looked_up_last(home: Path) -> None:
    for name in "ab":
        (home / name).mkdir()
    project = find_project(home).with_config_dir(home / "a").with_config_dir(home / "b")
    assert project.config_dirs == (home / "a", home / "b")
    assert project.recipes == home / "recipes"


def test_no_folder_anywhere_says_where_it_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match="no folder 'recipes' here or above") as caught:
        find_project(tmp_path)
    assert caught.value.where == str(tmp_path)
    assert "--recipes" in caught.value.fix


@pytest.mark.parametrize("variable", [False, True])
def test_a_named_folder_that_is_not_there_is_an_error(
    tmp_path: Path, variable: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if variable:
        monkeypatch.setenv("RECIPEKIT_RECIPES", str(tmp_path / "gone"))
    with pytest.raises(ProjectError, match="no such recipes folder") as caught:
        find_project(tmp_path, None if variable else tmp_path / "gone")
    assert caught.value.where == str(tmp_path / "gone")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[tool.recipekit]\nrecpies = "x"\n', "unknown setting 'recpies'; did you mean 'recipes'?"),
        ("[tool.recipekit]\nzzz = 1\n", "unknown setting 'zzz'"),
        ("[tool.recipekit]\nrecipes = 3\n", "recipes must be a str, got 3"),
        ('[tool.recipekit]\nenv = "CI"\n', "env must be a list"),
        ("[tool.recipekit]\nenv = [1]\n", "env must list names"),
        ("[tool.recipekit]\nstage_timeout = true\n", "stage_timeout must be a float"),
        ('[tool.recipekit]\nrecipes = "gone"\n', "which is no folder"),
        ("[tool]\nrecipekit = 3\n", "must be a table"),
        ("[tool.recipekit\n", "is not TOML"),
    ],
)
def test_a_wrong_setting_is_refused_with_its_file(home: Path, text: str, said: str) -> None:
    path = settings(home, text)
    with pytest.raises(ProjectError) as caught:
        find_project(home)
    assert said in caught.value.what
    assert caught.value.where == str(path)


def test_a_file_that_is_not_utf8_is_not_toml(home: Path) -> None:
    (home / "pyproject.toml").write_bytes(b"name = '\xff'")
    with pytest.raises(ProjectError, match="is not TOML"):
        find_project(home)


def test_a_pyproject_without_our_table_says_nothing(home: Path) -> None:
    settings(home, "tool = 3\n")
    assert find_project(home).recipes == home / "recipes"


@pytest.mark.parametrize(("key", "variable"), [("shared_store", "STORE"), ("shared_outputs", "OUTPUTS")])
def test_what_machines_share_is_named_by_a_variable_or_a_setting_and_travels_with_the_project(
    home: Path, monkeypatch: pytest.MonkeyPatch, key: str, variable: str
) -> None:
    assert getattr(find_project(home), key) == ""
    settings(home, f'[tool.recipekit]\n{key} = "s3://team/recipekit/"\n')
    assert getattr(pickle.loads(pickle.dumps(find_project(home))), key) == "s3://team/recipekit"
    monkeypatch.setenv(f"RECIPEKIT_SHARED_{variable}", "gs://other")
    assert getattr(find_project(home), key) == "gs://other"
    monkeypatch.setenv(f"RECIPEKIT_SHARED_{variable}", "")
    assert getattr(find_project(home), key) == "", "an empty variable shares nothing"


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("/mnt/store", "names no place that machines can share"),
        ("sftp://host/store", "names no place that machines can share"),
        ("s3://", "names no bucket"),
        ("file:///", "names no folder"),
        ("file://host/store", "names no folder"),
        ("s3://AKIA:not-for-eyes@bucket", "holds neither credentials nor options"),
        ("s3://bucket?endpoint=here", "holds neither credentials nor options"),
    ],
)
def test_a_url_that_can_t_be_shared_is_refused_and_no_secret_of_it_shown(home: Path, url: str, problem: str) -> None:
    settings(home, f'[tool.recipekit]\nshared_store = "{url}"\n')
    with pytest.raises(ProjectError, match=problem) as caught:
        find_project(home)
    assert caught.value.where == f"{home / 'pyproject.toml'} shared_store"
    assert "not-for-eyes" not in str(caught.value)
