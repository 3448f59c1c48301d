"""Throw-away projects to measure in: the repository's recipes, those of the benchmarks, an option for each scheme."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.benchmarks.variants import ALL

REPOSITORY = Path(__file__).resolve().parents[2]
MODEL = REPOSITORY / "recipes" / "models" / "mobilenet_v2_digits.keras"

_OWN_RECIPES = Path(__file__).parent / "recipes"
_MANY = 100


def make_project(folder: Path) -> None:
    """Fills a folder with recipes that are ready to run; nothing is built yet."""
    recipes = folder / "recipes"
    shutil.copytree(REPOSITORY / "recipes", recipes)
    shutil.copytree(_OWN_RECIPES, recipes, dirs_exist_ok=True)
    (recipes / "converter").mkdir(exist_ok=True)
    for variant in ALL:
        (recipes / "converter" / f"{variant.name}.yaml").write_text(variant.option())


def make_project_of_many(folder: Path) -> None:
    """Fills a folder with a hundred recipes, each the shipped int8 one under a name of its own."""
    recipes = folder / "recipes"
    shutil.copytree(REPOSITORY / "recipes", recipes)
    text = (recipes / "mobilenet_int8.yaml").read_text()
    for path in recipes.glob("*.yaml"):
        path.unlink()
    for number in range(_MANY):
        name = f"recipe_{number:03d}"
        (recipes / f"{name}.yaml").write_text(text.replace("name: mobilenet_int8", f"name: {name}"))
