"""docs/cookbook.md: its stanzas are right or refused as it says; its commands run in e2e/test_shipped_pages.py."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from recipekit.errors import InvalidRecipe
from recipekit.recipe import parse
from tests.pages import DOCS, ROOT, blocks, page

PAGE = page("cookbook.md")
STANZAS = blocks(PAGE, "yaml")
BASE: dict[str, Any] = {
    "name": "x",
    "version": "1.0.0",
    "source": {"kind": "keras", "path": "x.keras"},
    "representative_dataset": {"plugin": "digits"},
    "converter": {"quantization": "int8"},
    "evaluation": {"dataset": {"plugin": "digits"}},
}


def recipe(stanza: str) -> dict[str, Any]:
    """The stanza's sections in a whole recipe, with the base's dataset and the metrics that its bounds speak of."""
    sections = yaml.safe_load(stanza)
    metrics: dict[str, Any] = {name: {} for name in sections.get("acceptance", {}).get("task", {})}
    evaluation = {**BASE["evaluation"], "metrics": metrics, **sections.get("evaluation", {})}
    return {**BASE, **sections, "evaluation": evaluation}


@pytest.mark.parametrize("stanza", [it for it in STANZAS if not it.startswith("# refused")])
def test_a_stanza_is_part_of_a_valid_recipe(stanza: str) -> None:
    assert parse(recipe(stanza), ROOT, lambda _: "").name == "x"


@pytest.mark.parametrize("stanza", [it for it in STANZAS if it.startswith("# refused")])
def test_a_refused_stanza_is_refused(stanza: str) -> None:
    with pytest.raises(InvalidRecipe, match="allow_random"):
        parse(recipe(stanza), ROOT, lambda _: "")


def test_every_question_has_an_answer_in_words() -> None:
    for question in re.split(r"^### ", PAGE, flags=re.MULTILINE)[1:]:
        title, _, answer = question.partition("\n")
        prose = re.sub(r"^```.*?^```", "", answer, flags=re.MULTILINE | re.DOTALL)
        assert prose.strip() or "```console" in answer, title


def test_every_page_is_in_the_index() -> None:
    index = page("README.md") + (DOCS / "README.md").read_text()
    assert not [path.name for path in DOCS.glob("*.md") if path.name != "README.md" and f"({path.name})" not in index]
