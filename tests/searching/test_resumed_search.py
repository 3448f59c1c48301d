"""A search whose driver was stopped goes on: its trials, those that were under way, then the rest."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import recipekit.sweeping
from recipekit.launching import Task
from recipekit.outcome import Outcome
from recipekit.pipeline import Settings
from recipekit.resuming import resume_sweep
from recipekit.sweeping import SweepResult, run_sweep
from tests.recipe_projects import RECIPE, write_project
from tests.synthetic_sweep import Nowhere
from tests.test_sweep_scale import NoScreen

SEARCH = [
    "recipe=digits",
    "hydra/sweeper=recipekit_optuna",
    "hydra.sweeper.n_trials=6",
    "hydra.sweeper.objectives={size.bytes: minimize}",
    "seed=int(interval(1, 1000))",
]


class StoppedAtThree(Nowhere):
    """Is interrupted when the child 3 is under way."""

    def launch(self, tasks: Iterator[Task], ended: Callable[[Outcome], None]) -> None:
        for task in tasks:
            if task.number == 3:
                raise KeyboardInterrupt
            ended(self.outcome(task))


def tried(result: SweepResult) -> list[tuple[int, object]]:
    assert result.study is not None
    return [(trial.number, trial.parameters["seed"]) for trial in result.study.trials]


@pytest.mark.slow
def test_a_search_that_was_stopped_ends_as_if_it_had_not_been(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    results = {}
    for name, launcher in (("whole", Nowhere), ("stopped", StoppedAtThree)):
        project = write_project(tmp_path / name, {"digits.yaml": RECIPE})
        monkeypatch.setattr(recipekit.sweeping, "Here", launcher)
        if launcher is Nowhere:
            results[name] = run_sweep(project, SEARCH, Settings(), lambda _: NoScreen())
            continue
        with pytest.raises(KeyboardInterrupt):
            run_sweep(project, SEARCH, Settings(), lambda _: NoScreen())
        (folder,) = (project.outputs / "sweeps").iterdir()
        monkeypatch.setattr(recipekit.sweeping, "Here", Nowhere)
        results[name] = resume_sweep(project, folder.name, (), lambda _: NoScreen())
    assert [outcome.number for outcome in results["stopped"].outcomes] == list(range(6))
    assert tried(results["stopped"]) == tried(results["whole"])
    again = resume_sweep(project, folder.name, (), lambda _: NoScreen())
    assert tried(again) == tried(results["whole"]), "a search that has ended tries nothing more"
