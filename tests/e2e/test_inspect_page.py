"""docs/inspect.md keeps its word: its commands, one after the other, print what it shows."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.pages import ROOT, page, run_page

pytestmark = [pytest.mark.tensorflow, pytest.mark.slow]


def test_the_page_shows_what_its_commands_print(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "recipes", tmp_path / "recipes")
    run_page(page("inspect.md"), tmp_path)
    assert (tmp_path / "MODEL_CARD.md").is_file()
    assert (tmp_path / "bom.json").is_file()
