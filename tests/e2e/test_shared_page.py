"""docs/shared.md: two clones with nothing in common but a bucket, and every command of the page does what it says."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from recipekit.diagnosis.surroundings import project as diagnosed
from recipekit.project import find_project
from tests.e2e.conftest import recipekit
from tests.launching.faulty_children import write_children
from tests.object_storage import Bucket
from tests.pages import all_blocks, commands, page

TEXT = page("shared.md")


@pytest.mark.slow
def test_a_second_machine_finds_all_that_the_first_has_made(bucket: Bucket, tmp_path: Path) -> None:
    tiny = tmp_path / "tiny"
    write_children(tiny)
    (settings,) = (block.text for block in all_blocks(TEXT) if block.file == "pyproject.toml")
    (tiny / "pyproject.toml").write_text(settings.replace("team-models", bucket.name))
    second = Path(shutil.copytree(tiny, tmp_path / "second"))
    first_run, *others = [command.line.replace("team-models", bucket.name).split()[1:] for command in commands(TEXT)]
    assert recipekit(tiny, first_run).returncode == 0
    done = [recipekit(second, line) for line in others]
    assert [it.stderr for it in done if it.returncode] == []
    again, cache, changed, verified, inspected, _ = (it.stdout for it in done)
    assert "already built, accepted in" in again
    assert f"shared   {bucket.url}/store\n" in cache
    ran = [line.split()[1] for line in changed.splitlines() if line.startswith("  ran ")]
    assert [stage for stage in ran if not stage.startswith("survey-")] == []
    assert sum(line.startswith("  found ") for line in changed.splitlines()) >= 6
    assert verified.startswith("verified outputs/tiny/1.0.0/")
    assert "this is its file" in inspected
    assert (second / "card.md").read_text().startswith("---\n")
    said = [finding.text for finding in diagnosed(find_project(second))]
    assert {f"{bucket.url}/store can be used", f"{bucket.url}/outputs can be used"} <= set(said)
    sweep_is_shared(tiny, second)


def sweep_is_shared(first: Path, second: Path) -> None:
    """A sweep of the first machine is reported by the second, and finds its children there."""
    line = ["run", "-m", "recipe=tiny", "acceptance.parity.sqnr_db.min=14,15"]
    assert recipekit(first, line).returncode == 0
    (folder,) = (first / "outputs" / "sweeps").iterdir()
    said = recipekit(second, ["report", folder.name])
    assert said.stdout == f"outputs/sweeps/{folder.name}/summary.html\n"
    assert (second / said.stdout.strip()).read_bytes() == (folder / "summary.html").read_bytes()
    rows = json.loads(recipekit(second, [*line, "--format", "json"]).stdout)
    assert [row["already_built"] for row in rows] == [True, True]
