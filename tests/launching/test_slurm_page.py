"""docs/slurm.md keeps its word: its commands run, those for a cluster on a SLURM made of one file."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from recipekit.compose.repository import PRESETS
from tests.launching.conftest import site
from tests.pages import page, run_page


@pytest.mark.slow
def test_the_commands_of_the_page_run(tmp_path_factory: pytest.TempPathFactory, slurm: dict[str, str]) -> None:
    place = site(tmp_path_factory, slurm)
    run_page(page("slurm.md"), place.root, place.variables)
    summaries = [json.loads(path.read_text()) for path in sorted(place.root.glob("outputs/sweeps/*/summary.json"))]
    assert [len(rows) for rows in summaries] == [2, 2, 4, 2, 2]
    assert {row["verdict"] for rows in summaries for row in rows} == {"accepted"}
    jobs = Path(slurm["PATH"].partition(":")[0]).parent.glob("jobs/*.script")
    scripts = sorted(jobs, key=lambda path: int(path.stem))[-2:]
    first, second = (path.read_text() for path in scripts)
    assert "#SBATCH --mem=4GB\n" in first
    assert "#SBATCH --time=30\n" in first
    assert {f"#SBATCH --{it}" for it in ("partition=cpu", "account=ml", "cpus-per-task=2")} <= set(second.splitlines())


def test_the_page_names_every_setting() -> None:
    option = (PRESETS / "hydra" / "launcher" / "recipekit_submitit.yaml").read_text()
    named = re.findall(r"`(\w+)`", " ".join(re.findall(r"^\| (`.*?) \|", page("slurm.md"), re.MULTILINE)))
    assert named == re.findall(r"^([a-z]\w+):", option, re.MULTILINE)
