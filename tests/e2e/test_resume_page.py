"""docs/resume.md: its commands do what it says, in its order."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.faults.standing import Standing, built
from tests.pages import page, run_page

pytestmark = pytest.mark.slow


def test_the_commands_of_the_page_do_what_it_says(tmp_path_factory: pytest.TempPathFactory, tmp_path: Path) -> None:
    project = Standing(built(tmp_path_factory), tmp_path / "project").root
    run_page(page("resume.md"), project)
    (folder,) = (project / "outputs" / "sweeps").iterdir()
    assert (folder / "copied" / "0" / "recipes" / "tiny.yaml").is_file()
    rows = json.loads((folder / "summary.json").read_text())
    assert [(row["number"], row["verdict"]) for row in rows] == [(0, "accepted"), (1, "accepted"), (2, "accepted")]
