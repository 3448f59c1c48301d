"""A recipe's name and overrides become one mapping, by RECIPE.md's order, with the place behind every value."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recipekit.compose.composition import Composition, compose
from recipekit.errors import CompositionError, ForbiddenKey, UsageError
from recipekit.project import Project
from tests.compose.conftest import MakeProject
from tests.recipe_projects import BODY, RECIPE, recipe, write_project

LAYERED: dict[str, str | bytes] = {
    "digits.yaml": recipe("/converter: int8", "/acceptance: strict", body="seed: 1\nconverter: {input_type: uint8}\n"),
    "derived.yaml": "defaults:\n  - digits\n  - override /converter: float16\n  - _self_\nname: derived\nseed: 2\n",
    "acceptance/strict.yaml": "parity:\n  sqnr_db: {min: 40}\nlatency: {p50_ms: {max: 3}}\n",
    "acceptance/loose.yaml": "parity:\n  sqnr_db: {min: 4}\n",
}


def composed(project: Project, *overrides: str) -> dict[str, Any]:
    return compose(project, ["recipe=digits", *overrides]).mapping


# --- where values come from -----------------------------------------------------------------------------------------


def test_a_recipe_s_body_beats_its_groups(make_project: MakeProject) -> None:
    mapping = composed(make_project(LAYERED))
    assert mapping["converter"] == {
        "quantization": "int8",
        "allow_float": False,
        "input_type": "uint8",
        "output_type": "int8",
    }
    assert mapping["acceptance"]["parity"] == {"sqnr_db": {"min": 40}}
    assert "hydra" not in mapping


def test_a_derived_recipe_beats_the_one_it_extends(make_project: MakeProject) -> None:
    mapping = compose(make_project(LAYERED), ["recipe=derived"]).mapping
    assert (mapping["name"], mapping["version"], mapping["seed"]) == ("derived", "1.0.0", 2)
    assert mapping["converter"] == {"quantization": "float16", "input_type": "uint8"}


def test_a_user_s_option_shadows_the_packaged_one(make_project: MakeProject) -> None:
    project = make_project({"digits.yaml": RECIPE, "converter/none.yaml": "quantization: dynamic_range\n"})
    assert composed(project)["converter"] == {"quantization": "dynamic_range"}


def test_a_user_s_option_may_extend_a_packaged_one(make_project: MakeProject) -> None:
    option = "defaults:\n  - int8\n  - _self_\ninput_type: uint8\n"
    project = make_project({"digits.yaml": RECIPE, "converter/mine.yaml": option})
    assert composed(project, "converter=mine")["converter"]["input_type"] == "uint8"
    assert composed(project, "converter=mine")["converter"]["output_type"] == "int8"


def test_one_more_folder_is_looked_up_behind_the_recipes_and_before_the_presets(
    make_project: MakeProject, tmp_path: Path
) -> None:
    more = write_project(
        tmp_path,
        {
            "digits.yaml": "name: hidden\n",
            "other.yaml": recipe("/converter: none", body="seed: 9\n"),
            "converter/none.yaml": "quantization: float16\n",
            "boards/m4.yaml": "# @package _global_\nseed: 4\n",
        },
        folder="more",
    )
    project = make_project({"digits.yaml": RECIPE}).with_config_dir(more.recipes)
    assert composed(project)["name"] == "digits"
    assert composed(project)["converter"] == {"quantization": "float16"}
    other = compose(project, ["recipe=other"])
    assert other.mapping["seed"] == 9
    assert other.file == more.recipes / "other.yaml"
    assert other.origin(("seed",)) == "more/other.yaml:9"
    assert composed(project, "+boards=m4")["seed"] == 4


# --- overrides ------------------------------------------------------------------------------------------------------

TYPED = ("converter=float16", "seed=7", "converter.input_type=float32", "acceptance.parity.sqnr_db.min=25")


@pytest.fixture(scope="module")
def layered(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return write_project(tmp_path_factory.mktemp("layered"), LAYERED)


@settings(max_examples=6)
@given(st.sampled_from(list(permutations(("recipe=digits", *TYPED)))))
def test_the_command_line_beats_body_and_groups_in_any_order(layered: Project, typed: tuple[str, ...]) -> None:
    composition = compose(layered, typed)
    assert composition.mapping["converter"] == {"quantization": "float16", "input_type": "float32"}
    assert composition.mapping["seed"] == 7
    assert composition.mapping["acceptance"]["parity"]["sqnr_db"]["min"] == 25
    assert composition.overrides == tuple(text for text in typed if text != "recipe=digits")
    assert composition.origin(("seed",)) == "command line: seed=7"


@pytest.mark.parametrize(
    ("override", "path", "value"),
    [
        ("seed=7", ("seed",), 7),
        ("description='two words'", ("description",), "two words"),
        ("artifacts.c_array=true", ("artifacts", "c_array"), True),
        ("+artifacts.c_array=true", ("artifacts", "c_array"), True),
        ("++seed=7", ("seed",), 7),
        ("acceptance=classifier", ("acceptance", "task", "top1_accuracy", "max_drop"), 0.01),
        ("converter=int8", ("converter", "input_type"), "int8"),
        ("converter={quantization: int8}", ("converter", "quantization"), "int8"),
        ("representative_dataset={plugin: digits}", ("representative_dataset", "plugin"), "digits"),
        ("source.input_shapes.image=[1,2]", ("source", "input_shapes", "image"), [1, 2]),
        ("no_such_key=1", ("no_such_key",), 1),
    ],
)
def test_a_plain_override_works_whether_or_not_the_recipe_has_the_key(
    make_project: MakeProject, override: str, path: tuple[str, ...], value: object
) -> None:
    found: Any = composed(make_project({"digits.yaml": RECIPE}), override)
    for key in path:
        found = found[key]
    assert found == value


def test_a_tilde_takes_away_a_key_or_a_group_s_choice(make_project: MakeProject) -> None:
    project = make_project(LAYERED)
    assert "latency" not in composed(project, "~acceptance.latency")["acceptance"]
    assert "acceptance" not in composed(project, "~acceptance")


@pytest.mark.parametrize("override", ["~acceptance.latency", "+seed=2", "name.first=a,b"])
def test_what_hydra_cannot_do_with_an_override_is_a_usage_error(make_project: MakeProject, override: str) -> None:
    with pytest.raises(UsageError) as caught:
        composed(make_project({"digits.yaml": RECIPE + "seed: 1\n"}), override)
    assert caught.value.where == "command line"


@pytest.mark.parametrize(
    "override", ["seed=1,2", "seed=range(1,4)", "seed=choice(1,2)", "converter=int8,none", "recipe=glob(*)"]
)
def test_a_sweep_without_its_flag_is_told_about_the_flag(make_project: MakeProject, override: str) -> None:
    with pytest.raises(UsageError, match="stands for several values") as caught:
        composed(make_project({"digits.yaml": RECIPE}), override)
    assert override in caught.value.what
    assert "-m" in caught.value.fix


# --- what is not there ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("overrides", "said", "fix"),
    [
        ([], "no recipe is chosen", "recipe=NAME, with one of digits, letters"),
        (["recipe=digtis"], "there is no recipe 'digtis'; did you mean 'digits'?", "digits, letters"),
        (["recipe=/etc/passwd"], "there is no", ""),
        (["recipe=digits", "converter=flot16"], "no option of 'converter' 'flot16'; did you mean 'float16'?", "int8"),
        (["recipe=digits", "hydra/launcher=jobblib"], "did you mean 'joblib'?", "basic, joblib"),
    ],
)
def test_a_choice_that_is_not_there_gets_the_nearest(
    make_project: MakeProject, overrides: list[str], said: str, fix: str
) -> None:
    with pytest.raises(UsageError) as caught:
        compose(make_project({"digits.yaml": RECIPE, "letters.yaml": RECIPE}), overrides)
    assert said in caught.value.what
    assert fix in caught.value.fix


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("/acceptance: clasifier", "no option of 'acceptance' 'clasifier'; did you mean 'classifier'?"),
        ("/convertr: int8", "no group 'convertr'; did you mean 'converter'?"),
        ("digts", "no recipe 'digts'; did you mean 'digits'?"),
    ],
)
def test_a_defaults_entry_that_is_not_there_is_named_with_its_line(
    make_project: MakeProject, entry: str, said: str
) -> None:
    with pytest.raises(UsageError) as caught:
        composed(make_project({"digits.yaml": recipe(entry)}))
    assert said in caught.value.what
    assert caught.value.where == "recipes/digits.yaml:3"


# --- interpolations -------------------------------------------------------------------------------------------------


def test_an_interpolation_is_resolved_with_its_own_line_as_origin(make_project: MakeProject) -> None:
    composition = compose(make_project({"digits.yaml": RECIPE + "description: about ${name}\n"}), ["recipe=digits"])
    assert composition.mapping["description"] == "about digits"
    assert composition.origin(("description",)) == "recipes/digits.yaml:9"


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("description: ${description}\n", "Recursive interpolation"),
        ("description: ${a}\na: ${b}\nb: ${a}\n", "Recursive interpolation"),
        ("description: ${project.name}\n", "'project.name' not found"),
        ("description: ${nope:1}\n", "Unsupported interpolation type nope"),
        ("description: ???\n", "Missing mandatory value"),
    ],
)
def test_a_value_that_cannot_be_resolved_is_named_with_its_line(
    make_project: MakeProject, lines: str, said: str
) -> None:
    with pytest.raises(CompositionError, match="'description' has no value") as caught:
        composed(make_project({"digits.yaml": RECIPE + lines}))
    assert said in caught.value.what
    assert caught.value.where == "recipes/digits.yaml:9"


def test_a_malformed_interpolation_is_not_a_silent_error(make_project: MakeProject) -> None:
    with pytest.raises(CompositionError) as caught:
        composed(make_project({"digits.yaml": RECIPE + 'description: "${oc.env:{"\n'}))
    assert caught.value.what


@pytest.mark.parametrize(
    ("text", "overrides"),
    [
        ("description: ${oc.env:RK_SECRET}\n", []),
        ("description: x${oc.env:RK_SECRET,fallback}y\n", []),
        ("description: ${oc.decode:${oc.env:RK_SECRET}}\n", []),
        ("description: ${oc.env:${name}}\nname: RK_SECRET\n", []),
        ("", ["description=${oc.env:RK_SECRET}"]),
    ],
)
def test_a_variable_that_the_project_does_not_list_is_never_read(
    make_project: MakeProject, monkeypatch: pytest.MonkeyPatch, text: str, overrides: list[str]
) -> None:
    monkeypatch.setenv("RK_SECRET", "hunter2")
    text = RECIPE.replace("name: digits\n", "") + text if "\nname:" in text else RECIPE + text
    with pytest.raises(ForbiddenKey, match="'RK_SECRET'") as caught:
        composed(make_project({"digits.yaml": text}, env=("RK_OPEN",)), *overrides)
    assert "hunter2" not in str(caught.value)
    assert 'env = ["RK_SECRET"]' in caught.value.fix


def test_a_listed_variable_is_read_and_may_have_a_default(
    make_project: MakeProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RK_OPEN", "from the shell")
    monkeypatch.delenv("RK_UNSET", raising=False)
    text = RECIPE + "description: ${oc.env:RK_OPEN}\nartifacts: {labels: '${oc.env:RK_UNSET,labels.txt}'}\n"
    mapping = composed(make_project({"digits.yaml": text}, env=("RK_OPEN", "RK_UNSET")))
    assert mapping["description"] == "from the shell"
    assert mapping["artifacts"] == {"labels": "labels.txt"}


# --- origins --------------------------------------------------------------------------------------------------------


def test_every_value_has_the_file_and_line_or_the_override_that_set_it(make_project: MakeProject) -> None:
    overrides = ["recipe=derived", "seed=3", "artifacts={c_array: true}", "acceptance={latency: {p50_ms: {max: 9}}}"]
    composition = compose(make_project(LAYERED), overrides)
    assert {
        key: composition.origin(tuple(key.split(".")))
        for key in (
            "name",
            "version",
            "seed",
            "converter.quantization",
            "converter.input_type",
            "acceptance.parity.sqnr_db.min",
            "acceptance.latency.p50_ms.max",
            "artifacts.c_array",
            "evaluation.dataset.plugin",
            "evaluation.dataset.no_such_key",
            "nothing.at.all",
        )
    } == {
        "name": "recipes/derived.yaml:5",
        "version": "recipes/digits.yaml:7",
        "seed": "command line: seed=3",
        "converter.quantization": "packaged converter/float16.yaml:1",
        "converter.input_type": "recipes/digits.yaml:11",
        "acceptance.parity.sqnr_db.min": "recipes/acceptance/strict.yaml:2",
        "acceptance.latency.p50_ms.max": "command line: acceptance={latency: {p50_ms: {max: 9}}}",
        "artifacts.c_array": "command line: artifacts={c_array: true}",
        "evaluation.dataset.plugin": "recipes/digits.yaml:9",
        "evaluation.dataset.no_such_key": "recipes/digits.yaml:9",
        "nothing.at.all": "recipes/derived.yaml",
    }


def test_a_list_of_the_command_line_is_its_own_down_to_the_last_item(make_project: MakeProject) -> None:
    text = RECIPE + "representative_dataset:\n  preprocess:\n    - {resize: [8, 8]}\n    - {cast: float32}\n"
    override = "representative_dataset.preprocess=[{resize: [9, 9]}]"
    composition = compose(make_project({"digits.yaml": text}), ["recipe=digits", override])
    for below in ((), (0,), (0, "resize")):
        assert composition.origin(("representative_dataset", "preprocess", *below)) == f"command line: {override}"


def test_a_composition_knows_its_files_in_the_order_of_the_merge(make_project: MakeProject) -> None:
    project = make_project(LAYERED)
    composition = compose(project, ["recipe=derived", "acceptance=loose"])
    users = [
        path.relative_to(project.recipes).as_posix() for path in composition.files if path.is_relative_to(project.root)
    ]
    assert users == ["digits.yaml", "derived.yaml", "acceptance/loose.yaml"]
    assert composition.file == project.recipes / "derived.yaml"
    assert composition.recipe == "derived"


def test_a_recipe_tells_whether_it_asks_for_a_sweep(make_project: MakeProject) -> None:
    swept = RECIPE + 'hydra: {mode: MULTIRUN, sweeper: {params: {seed: "1,2"}}}\n'
    project = make_project({"digits.yaml": RECIPE, "swept.yaml": swept})
    assert not compose(project, ["recipe=digits"]).sweeps
    assert compose(project, ["recipe=swept"]).sweeps
    assert isinstance(compose(project, ["recipe=swept"]), Composition)


def test_a_marked_file_composes_like_a_plain_one(make_project: MakeProject) -> None:
    composition = compose(make_project({"digits.yaml": b"\xef\xbb\xbf" + RECIPE.encode()}), ["recipe=digits"])
    assert composition.mapping["name"] == "digits"
    assert composition.origin(("name",)) == "recipes/digits.yaml:5"


@pytest.mark.parametrize("header", ["", "# @package _group_\n"])
def test_an_option_in_two_places_stands_whole_in_both(make_project: MakeProject, header: str) -> None:
    entries = ("/noise@representative_dataset.args: few", "/noise@evaluation.dataset.args: few")
    files: dict[str, str | bytes] = {"digits.yaml": recipe(*entries)}
    files["noise/few.yaml"] = f"{header}count: 3\nlabel: noise-${{.count}}\n"
    mapping = composed(make_project(files), "evaluation.dataset.args.count=4")
    assert mapping["representative_dataset"]["args"] == {"count": 3, "label": "noise-3"}
    assert mapping["evaluation"]["dataset"]["args"] == {"count": 4, "label": "noise-4"}


def test_an_empty_recipe_composes_to_nothing(make_project: MakeProject) -> None:
    assert composed(make_project({"digits.yaml": ""})) == {}


def test_two_projects_compose_one_after_the_other(tmp_path: Path) -> None:
    one = write_project(tmp_path / "one", {"digits.yaml": RECIPE})
    two = write_project(tmp_path / "two", {"digits.yaml": f"seed: 2\n{BODY}"})
    assert "seed" not in composed(one)
    assert composed(two)["seed"] == 2
    assert "seed" not in composed(one)


def test_a_file_that_has_changed_is_read_again_for_the_lines_of_its_values(make_project: MakeProject) -> None:
    project = make_project({"digits.yaml": RECIPE})
    assert compose(project, ["recipe=digits"]).origin(("name",)) == "recipes/digits.yaml:5"

    (project.root / "recipes" / "digits.yaml").write_text(f"# a line more\n{RECIPE}")

    assert compose(project, ["recipe=digits"]).origin(("name",)) == "recipes/digits.yaml:6"
