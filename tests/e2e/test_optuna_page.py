"""docs/optuna.md: real searches do what it says, and their records say the same as their children's."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from recipekit.searching.settings import Settings
from recipekit.studied import Studied, read_study
from tests.e2e.conftest import recipekit
from tests.pages import page, run_page

pytestmark = [pytest.mark.tensorflow, pytest.mark.slow]

TEXT = page("optuna.md")


def studies(project: Path) -> list[tuple[Path, Studied]]:
    """The sweeps of a project, the first one first."""
    folders = sorted((project / "outputs" / "sweeps").iterdir(), key=lambda folder: folder.stat().st_mtime_ns)
    return [(folder, found) for folder in folders if (found := read_study(folder)) is not None]


def rows(folder: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((folder / "summary.json").read_text())
    return found


def test_the_commands_of_the_page_do_what_it_says(tiny: Path) -> None:
    recipe = tiny / "recipes" / "tiny.yaml"
    recipe.write_text(recipe.read_text().replace("top1_accuracy: {}", "top1_accuracy: {}, f1: {}"))
    run_page(TEXT, tiny)
    (first, front), (second, smallest), (_, quick), (third, _), (fourth, shared), (_, in_python) = studies(tiny)
    assert [len(rows(folder)) for folder in (first, second, third, fourth)] == [4, 6, 3, 2]
    assert len(shared.trials) == 5
    assert len(in_python.trials) == 3
    assert list(quick.objectives) == ["latency.p50_ms", "task.f1.drop"]
    assert all(trial.values["latency.p50_ms"] > 0 for trial in quick.trials)
    for folder, study in ((first, front), (second, smallest)):
        for row in rows(folder):
            trial = study.trials[row["number"]]
            assert trial.build_key == row["build_key"]
            assert trial.values["size.bytes"] == row["size"]
            assert (trial.violation > 0) == (row["verdict"] == "rejected")
            assert f"converter={trial.parameters['converter']}" in row["overrides"]
    accepted = [row for row in rows(second) if row["verdict"] == "accepted"]
    (best,) = smallest.best_trials()
    assert best.values["size.bytes"] == min(row["size"] for row in accepted)
    html = (second / "summary.html").read_text()
    assert "Best of 6 trials by size.bytes (minimize), chosen by the sampler <code>tpe</code>" in html
    assert f">Trial {best.number}</a>" in html
    assert (second / "study.journal").is_file()
    assert not (fourth / "study.journal").exists()
    done = recipekit(tiny, ["verify", f"outputs/sweeps/{second.name}"])
    assert done.returncode == 0, done.stdout


def test_the_page_names_every_setting() -> None:
    listed = re.findall(r"^\| `(\w+)` \|", TEXT, flags=re.MULTILINE)
    assert sorted(listed) == sorted(Settings.__struct_fields__)
