"""Sweeps run through Hydra's own sweepers and launchers, and no recipe makes Hydra run code on the way."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from recipekit.cli import main
from recipekit.compose.application import answer, sweep
from recipekit.compose.composition import Composition
from recipekit.errors import CompositionError, ForbiddenKey, RecipekitError, UsageError
from recipekit.project import Project
from tests.compose.conftest import MakeProject
from tests.recipe_projects import RECIPE, recipe

SWEPT = RECIPE + 'hydra: {mode: MULTIRUN, sweeper: {params: {seed: "1,2"}}}\n'


class Note:
    """A child that leaves a note of what it was given, and of its process."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __call__(self, composition: Composition, number: int) -> None:
        note = [composition.recipe, composition.overrides, composition.mapping, os.getpid()]
        (self._folder / f"note-{number:03d}.json").write_text(json.dumps(note))


def notes(project: Project, *overrides: str) -> list[tuple[str, list[str], dict[str, object], int]]:
    """Sweeps, and reads the children's notes by number."""
    sweep(project, overrides, project.root / "it's a sweep", Note(project.root))
    return [tuple(json.loads(path.read_text())) for path in sorted(project.root.glob("note-*.json"))]


@pytest.mark.slow
def test_every_combination_is_a_child_with_its_number_and_the_user_s_overrides(make_project: MakeProject) -> None:
    found = notes(
        make_project({"digits.yaml": RECIPE}), "recipe=digits", "seed=1,2", "converter=none,int8", "++description=x"
    )
    assert [overrides for _, overrides, _, _ in found] == [
        [f"seed={seed}", f"converter={scheme}", "description=x"] for seed in (1, 2) for scheme in ("none", "int8")
    ]
    assert [(mapping["seed"], mapping["converter"]["quantization"]) for _, _, mapping, _ in found] == [  # type: ignore[index]
        (1, "none"),
        (1, "int8"),
        (2, "none"),
        (2, "int8"),
    ]


@pytest.mark.slow
def test_a_glob_stands_for_every_recipe(make_project: MakeProject) -> None:
    project = make_project({"a.yaml": RECIPE, "ab.yaml": RECIPE, "c.yaml": RECIPE})
    assert [name for name, *_ in notes(project, "recipe=glob(a*)")] == ["a", "ab"]


@pytest.mark.slow
def test_a_recipe_s_own_sweep_may_vary_what_the_recipe_does_not_mention(make_project: MakeProject) -> None:
    project = make_project({"digits.yaml": SWEPT})
    assert [overrides for _, overrides, _, _ in notes(project, "recipe=digits")] == [["seed=1"], ["seed=2"]]


def test_the_command_line_narrows_a_recipe_s_own_sweep(make_project: MakeProject) -> None:
    found = notes(make_project({"digits.yaml": SWEPT}), "recipe=digits", "seed=7")
    assert [overrides for _, overrides, _, _ in found] == [["seed=7"]]


@pytest.mark.slow
def test_the_joblib_launcher_runs_children_in_other_processes(make_project: MakeProject) -> None:
    project = make_project({"digits.yaml": RECIPE + "description: ${oc.env:RK_OPEN,closed}\n"}, env=("RK_OPEN",))
    found = notes(project, "recipe=digits", "seed=1,2", "hydra/launcher=joblib", "hydra.launcher.n_jobs=2")
    assert [mapping["seed"] for _, _, mapping, _ in found] == [1, 2]
    assert {mapping["description"] for _, _, mapping, _ in found} == {"closed"}
    assert os.getpid() not in {pid for *_, pid in found}


@pytest.mark.slow
def test_an_option_beats_the_body_in_the_processes_of_a_launcher_too(make_project: MakeProject) -> None:
    project = make_project({"firm.yaml": RECIPE + "converter: {quantization: dynamic_range}\n"})
    found = notes(project, "recipe=firm", "converter=none,int8", "hydra/launcher=joblib", "hydra.launcher.n_jobs=2")
    assert [mapping["converter"]["quantization"] for _, _, mapping, _ in found] == ["none", "int8"]  # type: ignore[index]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("overrides", "error", "said"),
    [
        (["recipe=digits", "converter=none,flot16"], UsageError, "did you mean 'float16'?"),
        (["recipe=digits,nobody"], UsageError, "no recipe 'nobody'"),
        (["recipe=digits,broken"], CompositionError, "is not YAML"),
        (["recipe=digits,evil"], ForbiddenKey, "'_target_' is not allowed"),
        (["recipe=digits", "seed=1,2", "~acceptance.latency"], UsageError, "Could not delete"),
        (["seed=1,2"], UsageError, "no recipe is chosen"),
    ],
)
def test_a_child_that_cannot_be_composed_stops_the_sweep_before_any_has_run(
    make_project: MakeProject, overrides: list[str], error: type[RecipekitError], said: str
) -> None:
    project = make_project({"digits.yaml": RECIPE, "broken.yaml": "a: [", "evil.yaml": "x: {_target_: os.system}\n"})
    with pytest.raises(error, match=said.replace("?", r"\?")):
        notes(project, *overrides)
    assert not list(project.root.glob("note-*.json"))


# --- what Hydra answers ---------------------------------------------------------------------------------------------


def test_cfg_prints_the_composed_recipe(make_project: MakeProject, capsys: pytest.CaptureFixture[str]) -> None:
    answer(make_project({"digits.yaml": RECIPE}), ["--cfg", "job"], ["recipe=digits", "seed=7"])
    printed = capsys.readouterr().out
    assert "quantization: none" in printed
    assert "seed: 7" in printed


def test_info_prints_the_search_path_with_the_user_s_folder_in_front(
    make_project: MakeProject, capsys: pytest.CaptureFixture[str]
) -> None:
    answer(make_project({"digits.yaml": RECIPE}), ["--info", "searchpath"], ["recipe=digits"])
    printed = capsys.readouterr().out
    assert printed.index("recipes://") < printed.index("pkg://recipekit.presets")


def test_a_question_about_a_wrong_recipe_is_answered_with_our_error(make_project: MakeProject) -> None:
    with pytest.raises(UsageError, match="no recipe 'nobody'"):
        answer(make_project({"digits.yaml": RECIPE}), ["--cfg", "job"], ["recipe=nobody"])


# --- code that a recipe would have run ------------------------------------------------------------------------------

COPY = "src: ROOT/recipes/digits.yaml, dst: ROOT/marker"
LOGGING = f"{{version: 1, root: {{handlers: [h]}}, handlers: {{h: {{'()': shutil.copy, {COPY}}}}}}}"
CALLBACK = f"{{evil: {{_target_: shutil.copy, {COPY}}}}}"

ATTACKS: dict[str, dict[str, str]] = {
    "a callback": {"digits.yaml": f"{RECIPE}hydra: {{callbacks: {CALLBACK}}}\n"},
    "a log handler": {"digits.yaml": f"{RECIPE}hydra: {{job_logging: {LOGGING}}}\n"},
    "Hydra's own log": {"digits.yaml": f"{RECIPE}hydra: {{hydra_logging: {LOGGING}}}\n"},
    "an alias": {"digits.yaml": f"{RECIPE}x: &a {{job_logging: {LOGGING}}}\nhydra: *a\n"},
    "a merge key": {"digits.yaml": f"{RECIPE}x: &a {{hydra: {{job_logging: {LOGGING}}}}}\n<<: *a\n"},
    "a made mapping": {
        "digits.yaml": f'{RECIPE}hydra: {{sweeper: {{params: "${{oc.create:{{seed: {CALLBACK[7:-1]}}}}}"}}}}\n'
    },
    "a swept key": {"digits.yaml": f"{RECIPE}hydra: {{sweeper: {{params: {{hydra/job_logging: evil}}}}}}\n"},
    "another launcher": {"digits.yaml": f"{RECIPE}hydra: {{launcher: {CALLBACK[7:-1]}}}\n"},
    "a group's override": {
        "digits.yaml": recipe("/converter: none", "override hydra/job_logging: evil"),
        "hydra/job_logging/evil.yaml": LOGGING,
    },
    "a package": {"digits.yaml": recipe("x@hydra.job_logging: evil"), "x/evil.yaml": LOGGING},
    "an absolute package": {"digits.yaml": recipe("/x@_global_.hydra.job_logging: evil"), "x/evil.yaml": LOGGING},
    "a package behind another": {
        "digits.yaml": recipe("/x@a._global_.hydra.job_logging: evil"),
        "x/evil.yaml": LOGGING,
    },
    "a header": {"digits.yaml": recipe("/x: evil"), "x/evil.yaml": f"# @package hydra.job_logging\n{LOGGING}\n"},
    "a header of callbacks": {
        "digits.yaml": recipe("/x: evil"),
        "x/evil.yaml": f"# @package hydra.callbacks\n{CALLBACK}\n",
    },
    "a header and a package": {
        "digits.yaml": recipe("/x: a"),
        "x/a.yaml": "# @package hydra\ndefaults:\n  - /y@job_logging: evil\n",
        "y/evil.yaml": LOGGING,
    },
    "a folder named like a package": {
        "digits.yaml": recipe("/a_global_/hydra/job_logging: evil"),
        "a_global_/hydra/job_logging/evil.yaml": LOGGING,
    },
    "a recipe that is extended": {
        "digits.yaml": recipe("base", "/converter: none"),
        "base.yaml": f"hydra: {{job_logging: {LOGGING}}}\n",
    },
}


@pytest.fixture(params=ATTACKS)
def attacked(request: pytest.FixtureRequest, make_project: MakeProject, tmp_path: Path) -> Project:
    files = ATTACKS[request.param]
    return make_project({name: text.replace("ROOT", str(tmp_path)) for name, text in files.items()})


def test_an_attack_is_refused_before_a_run_begins(attacked: Project, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "--recipes", str(attacked.recipes), "recipe=digits"]) == 2
    assert "error RK203" in capsys.readouterr().err
    assert not (attacked.root / "marker").exists()


@pytest.mark.slow
def test_an_attack_is_refused_before_a_sweep_begins(attacked: Project) -> None:
    with pytest.raises(ForbiddenKey):
        notes(attacked, "recipe=digits", "seed=1,2")
    assert not (attacked.root / "marker").exists()
    assert not list(attacked.root.glob("note-*.json"))


def test_an_attack_is_refused_before_hydra_answers(attacked: Project) -> None:
    with pytest.raises(ForbiddenKey):
        answer(attacked, ["--cfg", "job"], ["recipe=digits"])
    assert not (attacked.root / "marker").exists()


@pytest.mark.slow
def test_the_attacks_would_have_worked_on_hydra_itself(tmp_path: Path, make_project: MakeProject) -> None:
    """The planted call is a real one: Hydra carries it out from a folder that nobody checks."""
    project = make_project({"digits.yaml": RECIPE})
    unchecked = tmp_path / "unchecked"
    unchecked.mkdir()
    (unchecked / "digits.yaml").write_text(f"hydra: {{job_logging: {LOGGING}}}\n".replace("ROOT", str(tmp_path)))
    script = (
        "import hydra, sys\n"
        f"hydra.main(version_base='1.3', config_path={str(unchecked)!r}, config_name='digits')(lambda c: None)()\n"
    )
    subprocess.run([sys.executable, "-c", script, "-m"], cwd=tmp_path, capture_output=True, check=False, timeout=60)
    assert (project.root / "marker").exists()


def test_a_recipes_folder_named_for_hydra_adds_no_option_to_it(make_project: MakeProject) -> None:
    project = make_project({"digits.yaml": RECIPE, "hydra/launcher/evil.yaml": "_target_: shutil.copy\n"})
    with pytest.raises(UsageError, match="no option of 'hydra/launcher' 'evil'"):
        notes(project, "recipe=digits", "hydra/launcher=evil")


@pytest.mark.slow
def test_a_value_that_one_child_cannot_resolve_is_that_childs_fault_alone(make_project: MakeProject) -> None:
    project = make_project({"r.yaml": RECIPE})
    seen: list[object] = []

    def child(composition: Composition, number: int) -> None:
        try:
            seen.append(composition.mapping["description"])
        except RecipekitError as error:
            seen.append((error.id, error.where))

    sweep(project, ["recipe=r", "description=fine,'${oc.env:UNLISTED}'"], project.root / "sweep", child)
    assert seen == ["fine", ("RK203", "command line: description='${oc.env:UNLISTED}'")]
