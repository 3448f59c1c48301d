"""An option that the command line chooses beats the recipe's body, as a value on the command line does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hydra import compose as compose_by_hydra
from hydra import initialize_config_module
from omegaconf import OmegaConf

from recipekit.compose.application import answer
from recipekit.compose.composition import Composition, compose
from recipekit.compose.grid import children
from recipekit.compose.session import PRIMARY, prepared
from recipekit.errors import UsageError
from recipekit.project import Project
from tests.recipe_projects import recipe, write_project

FILES: dict[str, str | bytes] = {
    "firm.yaml": recipe(
        "/converter: int8",
        "/acceptance: strict",
        "/boards: m4",
        body="seed: 1\nconverter: {quantization: int8, input_type: uint8, rules: [{match: {op: ADD}}]}\n"
        "acceptance: {parity: {sqnr_db: {min: 30}}}\n",
    ),
    "derived.yaml": "defaults:\n  - firm\n  - override /converter: float16\n  - _self_\nname: derived\n",
    "converter/base.yaml": "quantization: int16x8\nrules: []\n",
    "converter/mine.yaml": "defaults:\n  - base\n  - _self_\nallow_float: true\n",
    "converter/wide.yaml": "# @package _global_\nconverter: {quantization: none}\nseed: 5\n",
    "converter/with_data.yaml": "defaults:\n  - _self_\n"
    "  - override /representative_dataset@_global_.representative_dataset: noise\nquantization: int8\n",
    "representative_dataset/noise.yaml": "plugin: random\n",
    "acceptance/strict.yaml": "parity:\n  sqnr_db: {min: 40}\n",
    "boards/m4.yaml": "# @package _global_\ndescription: m4\n",
    "boards/m7.yaml": "# @package _global_\ndescription: m7\nconverter: {quantization: dynamic_range}\n",
}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return write_project(tmp_path_factory.mktemp("choices"), FILES)


def converter(composition: Composition) -> Any:
    return composition.mapping["converter"]


def test_an_option_of_the_command_line_beats_the_body_and_says_where_its_values_come_from(project: Project) -> None:
    composition = compose(project, ["converter=float16", "recipe=firm"])
    assert converter(composition)["quantization"] == "float16"
    assert composition.origin(("converter", "quantization")) == "packaged converter/float16.yaml:1"
    assert converter(composition)["input_type"] == "uint8"  # the option says nothing of it, the body does
    assert composition.origin(("converter", "input_type")) == "recipes/firm.yaml:12"
    assert compose(project, ["recipe=firm", "acceptance=strict"]).mapping["acceptance"]["parity"]["sqnr_db"] == {
        "min": 40
    }


def test_an_option_that_only_a_recipe_chooses_is_beaten_by_the_body(project: Project) -> None:
    assert converter(compose(project, ["recipe=firm"]))["quantization"] == "int8"
    assert converter(compose(project, ["recipe=derived"]))["quantization"] == "int8"
    assert converter(compose(project, ["recipe=derived", "converter=none"]))["quantization"] == "none"


def test_a_value_of_the_command_line_beats_an_option_of_the_command_line(project: Project) -> None:
    for overrides in (
        ["converter.quantization=none", "converter=mine"],
        ["converter=mine", "converter.quantization=none"],
    ):
        composition = compose(project, ["recipe=firm", *overrides])
        assert converter(composition)["quantization"] == "none"
        assert composition.origin(("converter", "quantization")) == "command line: converter.quantization=none"


def test_an_option_brings_those_that_it_extends_and_its_lists_replace_the_body_s(project: Project) -> None:
    found = converter(compose(project, ["recipe=firm", "converter=mine"]))
    assert found == {"quantization": "int16x8", "input_type": "uint8", "rules": [], "allow_float": True}
    assert converter(compose(project, ["recipe=firm", "converter=[none,mine]"])) == found


def test_an_option_with_a_package_of_its_own_is_placed_there(project: Project) -> None:
    mapping = compose(project, ["recipe=firm", "converter=wide"]).mapping
    assert (mapping["converter"]["quantization"], mapping["seed"]) == ("none", 5)


def test_an_option_may_choose_an_option_of_another_group(project: Project) -> None:
    mapping = compose(project, ["recipe=firm", "converter=with_data"]).mapping
    assert mapping["representative_dataset"] == {"plugin": "random"}


def test_a_group_of_the_user_s_obeys_too_and_what_is_added_comes_last_as_in_hydra(project: Project) -> None:
    assert compose(project, ["recipe=firm", "boards=m7"]).mapping["description"] == "m7"
    assert converter(compose(project, ["recipe=firm", "boards=m7"]))["quantization"] == "dynamic_range"
    added = compose(project, ["recipe=firm", "converter=float16", "+boards@here=m7"])
    assert converter(added)["quantization"] == "float16"
    assert added.mapping["here"]["description"] == "m7"


@pytest.mark.parametrize("option", ["float16", "int8", "mine", "int16x8_float_fallback"])
def test_the_result_is_hydra_s_own_composition_with_the_option_merged_behind_it(project: Project, option: str) -> None:
    with prepared(project), initialize_config_module("recipekit.presets", version_base="1.3"):
        plain = compose_by_hydra(PRIMARY, ["recipe=firm", "~converter", f"+converter@chosen={option}"])
    expected: Any = OmegaConf.to_container(plain)
    expected["converter"] = {**expected["converter"], **expected.pop("chosen")}  # no mapping in it to merge deeper
    assert compose(project, ["recipe=firm", f"converter={option}"]).mapping == expected


def test_each_child_of_a_sweep_over_options_has_its_own(project: Project) -> None:
    grid = children(project, ["recipe=firm", "converter=float16,int8,mine"])
    assert grid is not None
    assert [converter(child)["quantization"] for _, child in grid] == ["float16", "int8", "int16x8"]


def test_cfg_prints_what_a_run_composes(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    answer(project, ["--cfg", "job"], ["recipe=firm", "converter=mine"])
    printed = OmegaConf.to_container(OmegaConf.create(capsys.readouterr().out))
    assert printed == compose(project, ["recipe=firm", "converter=mine"]).mapping


def test_info_lists_the_option_behind_the_recipe(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    answer(project, ["--info", "defaults"], ["recipe=firm", "converter=mine"])
    printed = capsys.readouterr().out
    assert 0 < printed.index("recipe/firm") < printed.index("converter/base") < printed.index("converter/mine")


def test_an_option_that_is_not_there_is_refused_as_ever(project: Project, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="did you mean 'mine'"):
        compose(project, ["recipe=firm", "converter=mien"])
