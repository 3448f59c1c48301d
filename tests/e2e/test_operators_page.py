"""`docs/operators.md` keeps its word: its model fails as shown, and each of its ways out ends as it says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from recipekit.errors import UnsupportedOp
from recipekit.pool import Pool
from tests.e2e.conftest import run_here
from tests.pages import page

pytestmark = pytest.mark.tensorflow

PAGE = page("operators.md")
CODE = re.findall(r"```python\n# (\S+)\n(.*?)```", PAGE, re.DOTALL)
((RECIPE_FILE, RECIPE),) = re.findall(r"```yaml\n# (recipes/\S+)\n(.*?)```", PAGE, re.DOTALL)
STANZAS = re.findall(r"```yaml\n# exit (\d)\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("operators")
    (root / "recipes").mkdir()
    for name, text in [*CODE, (RECIPE_FILE, RECIPE)]:
        (root / name).write_text(text)
    for number, (_, stanza) in enumerate(STANZAS):
        recipe = merged(yaml.safe_load(RECIPE), {**yaml.safe_load(stanza), "name": f"steps_{number}"})
        (root / "recipes" / f"steps_{number}.yaml").write_text(f"# @package _global_\n{yaml.safe_dump(recipe)}")
    return root


def merged(base: Any, more: Any) -> Any:
    if not isinstance(base, dict) or not isinstance(more, dict):
        return more
    return {**base, **{key: merged(base.get(key), value) for key, value in more.items()}}


def test_the_model_fails_with_the_message_that_is_shown(project: Path, pool: Pool) -> None:
    with pytest.raises(UnsupportedOp) as caught:
        run_here(project, pool, "recipe=steps")
    shown = re.search(r"error RK402: (.*?)```", PAGE, re.DOTALL)
    assert shown is not None
    for line in f"{caught.value.what}\n  fix: {caught.value.fix}".splitlines()[: len(shown[1].splitlines())]:
        assert line in shown[1]


@pytest.mark.parametrize("number", range(len(STANZAS)))
def test_a_way_out_ends_as_the_page_says(project: Path, pool: Pool, number: int) -> None:
    outcome = run_here(project, pool, f"recipe=steps_{number}")
    assert outcome.exit_code == int(STANZAS[number][0])


def test_the_part_before_the_operator_converts(project: Path, pool: Pool) -> None:
    outcome = run_here(project, pool, "recipe=steps", "source.factory=cut.py:before_the_step", "acceptance={}")
    assert outcome.exit_code == 0
