"""docs/api.md keeps its word: its Python runs in the shipped project, and it names every function and option."""

from __future__ import annotations

import inspect
import shutil
from pathlib import Path

import pytest

import recipekit
from tests.pages import ROOT, page, run_page

PAGE = page("api.md")


def test_every_function_stands_there_with_its_options() -> None:
    for name in recipekit.__all__:
        found = getattr(recipekit, name)
        if inspect.isfunction(found):
            words = []
            for parameter in inspect.signature(found).parameters.values():
                if parameter.kind is parameter.KEYWORD_ONLY and "*" not in words:
                    words.append("*")
                words.append(parameter.name)
            assert f"| `{name}({', '.join(words)})` |" in PAGE


@pytest.mark.tensorflow
@pytest.mark.slow
def test_its_code_runs(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "recipes", tmp_path / "recipes")
    run_page(PAGE, tmp_path)
