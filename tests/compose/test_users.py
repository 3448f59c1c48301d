"""Which recipes are made of a file: the recipe, whoever extends it, whoever chooses the option, in any way."""

from __future__ import annotations

from pathlib import Path

import pytest

from recipekit.compose.users import recipes_of_files
from recipekit.project import Project
from tests.recipe_projects import RECIPE, recipe, write_project

SWEPT = 'hydra: {mode: MULTIRUN, sweeper: {params: {converter: "none,%s"}}}\n'


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return write_project(
        tmp_path,
        {
            "converter/mine.yaml": "quantization: float16\n",
            "converter/other.yaml": "quantization: none\n",
            "acceptance/strict.yaml": "size: {bytes: {max: 9}}\n",
            "base.yaml": recipe("/converter: mine"),
            "child.yaml": "defaults:\n  - base\n  - _self_\nname: child\n",
            "plain.yaml": RECIPE.replace("name: digits", "name: strict_words_alone"),
            "swept.yaml": RECIPE + SWEPT % "mine",
            "globbed.yaml": RECIPE + SWEPT.replace("none,%s", "glob(m*)"),
            "replaced.yaml": "defaults:\n  - base\n  - override /converter: other\n  - _self_\nname: replaced\n",
            "broken.yaml": recipe("/converter: mine") + "seed: [\n",
        },
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("file", "names"),
    [
        ("base.yaml", ["base", "child", "replaced"]),
        ("child.yaml", ["child"]),
        ("converter/mine.yaml", ["base", "broken", "child", "globbed", "swept"]),
        ("converter/other.yaml", ["replaced"]),
        ("broken.yaml", ["broken"]),
    ],
)
def test_a_file_leads_to_the_recipes_that_are_made_of_it(project: Project, file: str, names: list[str]) -> None:
    assert recipes_of_files(project, [project.recipes / file]) == (names, [])


def test_a_file_of_no_recipe_is_named(project: Project) -> None:
    strict, gone = project.recipes / "acceptance" / "strict.yaml", project.recipes / "gone.yaml"
    assert recipes_of_files(project, [strict, gone, project.recipes / "child.yaml"]) == (["child"], [strict, gone])
