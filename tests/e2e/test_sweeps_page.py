"""docs/sweeps.md: its commands do what it says, and its table lists the columns that there are."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.e2e.conftest import recipekit
from tests.pages import page

TEXT = page("sweeps.md")


@pytest.mark.tensorflow
def test_the_commands_of_the_page_do_what_it_says(tiny: Path) -> None:
    lines = re.findall(r"^\$ recipekit (.*)$", TEXT, flags=re.MULTILINE)
    assert len(lines) == 5
    done = [recipekit(tiny, line.split()) for line in (*lines, "verify latest")]
    assert [(it.returncode, it.stderr) for it in done if it.returncode] == [(3, "")], "some children are rejected"
    (folder,) = (tiny / "outputs" / "sweeps").iterdir()
    assert done[1].stdout == f"outputs/sweeps/{folder.name}/summary.html\n"
    assert [it.stdout for it in done[3:5]] == ["comparison.html\n", "page.html\n"]
    published = (tiny / "outputs" / "tiny" / "latest" / "report.html").read_text()
    assert sorted((tiny / "page.html").read_text().splitlines()) == sorted(published.splitlines())
    rows = json.loads((folder / "summary.json").read_text())
    heads = re.findall(r"^\| (`[^|]*) \|(?!.*objectives of a search that)", TEXT, flags=re.MULTILINE)
    general = {re.sub(r"^task\.\w+", "task.METRIC", re.sub(r"^override\..*", "override.KEY", key)) for key in rows[0]}
    assert set(re.findall(r"`([^`]*)`", " ".join(heads))) == general
    assert [row["verdict"] for row in rows] == ["rejected", "accepted", "rejected", "accepted"]
    page = (folder / "summary.html").read_text()
    assert all(f'href="{row["output"]}/report.html"' in page for row in rows)
