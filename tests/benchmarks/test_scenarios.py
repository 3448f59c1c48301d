import re
from pathlib import Path

import pytest

from recipekit.cli import main
from recipekit.compose.overrides import parser
from tests.benchmarks import project
from tests.benchmarks.__main__ import DOCUMENT
from tests.benchmarks.agreement import Disagreement, Figures, require_same
from tests.benchmarks.scenarios import FULL, QUICK, Scenario, Size, scenarios
from tests.benchmarks.table import BEGIN, END
from tests.benchmarks.variants import ALL, CALIBRATED, CALIBRATED_TEN, TWELVE

BUILT = Figures(sqnr_db=34.97, top1_float=0.986, top1_converted=0.988, size=644_472)


def named(name: str, size: Size = FULL) -> Scenario:
    return next(scenario for scenario in scenarios(size) if scenario.name == name)


@pytest.mark.parametrize("size", [FULL, QUICK], ids=["full", "quick"])
def test_scenarios_have_names_of_their_own(size: Size) -> None:
    names = [scenario.name for scenario in scenarios(size)]

    assert len(set(names)) == len(names)
    assert names == [scenario.name for scenario in scenarios(FULL)]


def test_the_sweeps_are_as_large_as_they_say() -> None:
    assert named("sweep_12").children == len(named("sweep_12").scripts) == len(set(TWELVE)) == 12
    assert named("sweep_100").children == 100
    assert len(set(CALIBRATED_TEN)) == 10


@pytest.mark.parametrize("size", [FULL, QUICK], ids=["full", "quick"])
@pytest.mark.parametrize("name", ["found_few", "found_many", "published_few", "published_many"])
def test_a_sweep_for_the_memory_of_its_driver_has_as_many_children_as_it_says(size: Size, name: str) -> None:
    scenario = named(name, size)
    children = 1
    for override in scenario.recipekit[3:]:
        parsed = parser().parse_overrides([override])[0]
        children *= len(list(parsed.sweep_iterator())) if parsed.is_sweep_override() else 1

    assert children == scenario.children
    assert scenario.driver


def test_every_child_of_the_hundred_depends_on_its_calibration_set() -> None:
    assert all(variant.quantization in CALIBRATED for variant in CALIBRATED_TEN)
    assert len(set(FULL.sets)) == 10


def test_both_sides_of_a_sweep_build_the_same_schemes() -> None:
    sweep = named("sweep_12")
    (override,) = (argument for argument in sweep.recipekit if argument.startswith("converter="))

    assert override.removeprefix("converter=").split(",") == [variant.name for variant in TWELVE]
    assert [script.options for script in sweep.scripts] == [variant.arguments() for variant in TWELVE]


def test_an_extrapolation_names_a_scenario_with_scripts() -> None:
    for scenario in scenarios(FULL):
        if scenario.script_seconds_of:
            assert named(scenario.script_seconds_of).scripts


def test_schemes_have_names_of_their_own() -> None:
    assert len({variant.name for variant in ALL}) == len(ALL)


def test_the_scripts_of_every_scenario_exist() -> None:
    for scenario in scenarios(FULL):
        for script in scenario.scripts:
            assert (project.REPOSITORY / (script.module.replace(".", "/") + ".py")).is_file()


def test_the_project_of_many_holds_a_hundred_recipes(tmp_path: Path) -> None:
    project.make_project_of_many(tmp_path)
    texts = [path.read_text() for path in (tmp_path / "recipes").glob("*.yaml")]

    assert len(texts) == 100
    assert len({re.findall(r"^name: (.+)$", text, re.MULTILINE)[0] for text in texts}) == 100


@pytest.mark.slow
def test_every_recipe_and_scheme_of_the_benchmarks_is_valid(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project.make_project(tmp_path)
    monkeypatch.chdir(tmp_path)

    assert main(["validate", "recipe=streamed", "representative_dataset.path=calibration.npz"]) == 0
    for variant in ALL:
        assert main(["validate", "recipe=variants", f"converter={variant.name}"]) == 0


def test_the_document_has_a_place_for_the_tables() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")

    assert text.count(BEGIN) == text.count(END) == 1
    assert text.index(BEGIN) < text.index(END)


def test_the_same_models_agree_in_any_order() -> None:
    other = BUILT._replace(sqnr_db=50.0, size=800_000)

    require_same([BUILT, other], [other._replace(size=800_100), BUILT])


def test_exactness_beyond_the_float_model_s_own_is_no_difference() -> None:
    require_same([BUILT._replace(sqnr_db=120.0)], [BUILT._replace(sqnr_db=131.0)])


@pytest.mark.parametrize(
    "other",
    [
        BUILT._replace(sqnr_db=34.0),
        BUILT._replace(top1_float=0.98),
        BUILT._replace(top1_converted=0.98),
        BUILT._replace(size=700_000),
    ],
)
def test_models_that_differ_are_told(other: Figures) -> None:
    with pytest.raises(Disagreement):
        require_same([BUILT], [other])


def test_a_missing_model_is_told() -> None:
    with pytest.raises(Disagreement, match="2 models, the scripts 1"):
        require_same([BUILT, BUILT], [BUILT])
