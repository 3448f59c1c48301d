"""The pages about the shipped project keep their word, in one project: what one has built the next one finds."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.pages import ROOT, page, run_page

pytestmark = [pytest.mark.tensorflow, pytest.mark.slow]


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped recipes in a project of the pages' own: the README shows what a first run prints."""
    folder = tmp_path_factory.mktemp("pages")
    shutil.copytree(ROOT / "recipes", folder / "recipes")
    return folder


@pytest.mark.parametrize("name", ["README.md", "inspect.md", "api.md", "cookbook.md"])
def test_a_page_s_commands_and_code_do_what_it_shows(shipped: Path, name: str) -> None:
    run_page(page(name), shipped)


def test_what_they_write_is_there(shipped: Path) -> None:
    assert (shipped / "MODEL_CARD.md").is_file()
    assert (shipped / "bom.json").is_file()
    assert list((shipped / "outputs" / "sweeps").glob("*/summary.csv"))
