"""A sweep goes on only where its recipes come to what they came to when it began; each refusal says the way out."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from recipekit.errors import EnvironmentFault, OutputFault, RecipekitError, UsageError
from recipekit.project import Project
from recipekit.resuming import resume_sweep
from recipekit.sweeps import conditions as conditions_module
from recipekit.sweeps import copy_recipes, driven, find_sweep, read_record, resumed_project, sweep_ids, write_record
from tests.recipe_projects import RECIPE, write_project

ID = "20260101-000000-0a0a"
SECRET = "ghp_" + "s3Cr" * 10
READING = RECIPE + "description: ${oc.env:RK_OPEN,closed}\n"


def begun(project: Project, *overrides: str, sweeper: str = "grid", sweep: str = ID) -> Path:
    """The folder of a sweep that has begun, of which no child has ended."""
    folder = project.outputs / "sweeps" / sweep
    folder.mkdir(parents=True)
    copy, files = copy_recipes(project, folder)
    write_record(folder, copy, files, overrides or ("recipe=digits",), rebuild=False, sweeper=sweeper, children=1)
    return folder


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.setenv("RK_OPEN", "open")
    monkeypatch.setenv("RK_OTHER", "other")
    files: dict[str, str | bytes] = {"digits.yaml": RECIPE, "reading.yaml": READING}
    return write_project(tmp_path / "project", files, env=("RK_OPEN", "RK_OTHER", "RK_TOKEN"))


def refused(project: Project, kind: type[RecipekitError], name: str = ID, *overrides: str) -> RecipekitError:
    with pytest.raises(kind) as caught:
        resume_sweep(project, name, overrides, lambda _number: pytest.fail("a child has run"))
    assert caught.value.fix
    return caught.value


def test_the_project_is_that_of_the_beginning_but_for_its_limits(project: Project, tmp_path: Path) -> None:
    extra = tmp_path / "extra"
    extra.mkdir()
    folder = begun(project.with_config_dir(extra))
    today = msgspec.structs.replace(project, env=("OTHER",), stage_timeout=7.0)
    shutil.rmtree(extra)
    resumed = resumed_project(folder, read_record(folder), today)
    assert (resumed.config_dirs, resumed.env) == ((extra,), project.env)
    assert (resumed.stage_timeout, resumed.outputs) == (7.0, project.outputs)
    assert resumed.recipe_folders == (folder / "copied/0/recipes", folder / "copied/1/extra")


def test_a_moved_project_goes_on(project: Project, tmp_path: Path) -> None:
    begun(project)
    project.root.rename(tmp_path / "moved")
    moved = Project(root=tmp_path / "moved", recipes=tmp_path / "moved/recipes", outputs=tmp_path / "moved/outputs")
    folder = find_sweep("latest", moved, tmp_path)
    assert resumed_project(folder, read_record(folder), moved).copied == folder / "copied"


def test_the_record_names_variables_that_recipes_read_by_digests_alone(project: Project) -> None:
    folder = begun(project)
    record = json.loads((folder / "sweep.json").read_text())
    assert set(record["variables"]) == {"RK_OPEN"}
    assert '"open"' not in (folder / "sweep.json").read_text()
    (project.recipes / "made_up.yaml").write_text("name: ${oc.env:${which}}\n")
    made_up = read_record(begun(project, sweep="20260101-000000-0b0b"))
    assert set(made_up.variables) == {"RK_OPEN", "RK_OTHER"}, "whichever that is, but never a secret's"


@pytest.mark.parametrize("now", ["value-of-today", None])
def test_a_variable_with_another_value_is_named(
    project: Project, monkeypatch: pytest.MonkeyPatch, now: str | None
) -> None:
    begun(project)
    monkeypatch.delenv("RK_OTHER")
    monkeypatch.setenv("RK_OPEN", now) if now else monkeypatch.delenv("RK_OPEN")
    error = refused(project, EnvironmentFault)
    assert "'RK_OPEN'" in error.what
    assert "value-of-today" not in str(error)


def test_a_recipekit_with_other_options_is_told(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = begun(project)
    record = json.loads((folder / "sweep.json").read_text())
    assert record["shipped"] == conditions_module.shipped()
    (folder / "sweep.json").write_text(json.dumps({**record, "shipped": "0" * 64, "recipekit": "0.0.1"}))
    assert "recipekit 0.0.1 began this sweep" in refused(project, EnvironmentFault).what


@pytest.mark.parametrize("change", ["edit", "remove", "add"])
def test_a_copy_that_was_changed_is_told_by_its_file(project: Project, change: str) -> None:
    copy = begun(project) / "copied" / "0" / "recipes"
    changes: dict[str, Callable[[], Any]] = {
        "edit": lambda: (copy / "digits.yaml").write_text("name: x\n"),
        "remove": (copy / "digits.yaml").unlink,
        "add": lambda: (copy / "added.yaml").write_text("name: x\n"),
    }
    changes[change]()
    error = refused(project, OutputFault)
    assert error.where == str(copy / ("added.yaml" if change == "add" else "digits.yaml"))


def test_what_a_copy_is_a_link_to_must_have_stayed(project: Project) -> None:
    (project.recipes / "leaky.yaml").write_text(f"{RECIPE}# {SECRET}\n")
    begun(project)
    (project.recipes / "leaky.yaml").write_text(RECIPE)
    assert "is a link to" in refused(project, OutputFault).what


def test_a_secret_is_kept_nowhere_so_that_such_a_sweep_does_not_go_on(project: Project) -> None:
    folder = begun(project, "recipe=digits", f"description=fine,{SECRET}")
    assert SECRET not in (folder / "sweep.json").read_text()
    assert "what looks like a secret" in refused(project, UsageError).what


def test_a_sweeper_that_chooses_by_what_has_ended_is_named(project: Project) -> None:
    begun(project, sweeper="hydra_plugins.hydra_ax_sweeper.ax_sweeper.AxSweeper")
    assert "AxSweeper has chosen this sweep's children" in refused(project, UsageError).what


def test_what_is_no_sweep_and_what_is_none_of_ours(project: Project, tmp_path: Path) -> None:
    assert "no such sweep" in refused(project, UsageError, "latest").what
    begun(project)
    assert "did you mean" in refused(project, UsageError, ID[:-1] + "b").what
    assert "is no folder of a sweep" in refused(project, UsageError, str(project.recipes)).what
    older = project.outputs / "sweeps" / "20250101-000000-0a0a" / "0"
    older.mkdir(parents=True)
    (older / "outcome.json").write_text("{}")
    assert "an older recipekit began this sweep" in refused(project, UsageError, older.parent.name).what
    elsewhere = write_project(tmp_path / "elsewhere", {"digits.yaml": RECIPE})
    error = refused(elsewhere, UsageError, str(project.outputs / "sweeps" / ID))
    assert str(project.recipes) in error.what
    assert not (project.recipes / ".lock").exists(), "nothing is written into what is no sweep"


@pytest.mark.parametrize(
    ("text", "kind", "says"),
    [
        ('{"format": 2, "more": 1}', UsageError, "of format 2"),
        ("{", OutputFault, "not the record of a sweep"),
        ('{"format": 1}', OutputFault, "not the record of a sweep"),
    ],
)
def test_a_record_is_read_strictly(project: Project, text: str, kind: type[RecipekitError], says: str) -> None:
    (begun(project) / "sweep.json").write_text(text)
    assert says in refused(project, kind).what


def test_a_running_sweep_names_its_process(project: Project) -> None:
    with driven(begun(project)):
        assert f"process {os.getpid()} on " in refused(project, OutputFault).what
    assert not (project.outputs / "sweeps" / ID / ".lock").exists()


def test_an_override_that_is_none_of_the_launcher_s_is_refused(project: Project) -> None:
    begun(project)
    assert "'seed=1' would make another sweep of it" in refused(project, UsageError, ID, "seed=1").what


def test_the_newest_sweep_comes_last(project: Project, tmp_path: Path) -> None:
    later = begun(project, sweep="20260102-000000-0000")
    begun(project)
    (project.outputs / "sweeps" / "20260103-000000-0000").mkdir()
    assert sweep_ids(project) == [ID, later.name]
    assert find_sweep("latest", project, tmp_path) == later
    assert find_sweep(os.path.relpath(later, tmp_path), project, tmp_path) == later
