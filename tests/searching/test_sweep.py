"""A sweep that searches ends as any sweep does, with its study beside the summary; what it found is shown."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from rich.console import Console

from recipekit.cli.screen import Screen
from recipekit.cli.sweep_screen import SweepScreen
from recipekit.errors import OutputAltered
from recipekit.pipeline import Settings
from recipekit.report import render_sweep
from recipekit.searching.storage import JOURNAL
from recipekit.studied import FILE, Studied, Trial, best_of, read_study
from recipekit.summary import complete
from recipekit.sweeping import run_sweep
from tests.recipe_projects import recipe, write_project
from tests.sweep_rows import child

HOSTILE = "<script>alert(1)</script>"


def studied(*values: tuple[float, float], verdicts: str = "") -> Studied:
    """A study of size and quality, all trials accepted but those whose letter is `r`."""
    trials = tuple(
        Trial(
            number=number,
            sweep="s",
            state="complete",
            parameters={"converter": HOSTILE, "seed": number},
            values={"size.bytes": size, "parity.sqnr_db": quality},
            distances={"size.bytes.max": 0.25 if verdict == "r" else -0.25},
            verdict="rejected" if verdict == "r" else "accepted",
            build_key=f"{number:064x}",
        )
        for number, ((size, quality), verdict) in enumerate(zip(values, verdicts or "a" * len(values), strict=True))
    )
    objectives: dict[str, object] = {"size.bytes": "minimize", "parity.sqnr_db": "maximize"}
    return Studied(
        name="s",
        storage=JOURNAL,
        sampler="tpe",
        seed=0,
        objectives=objectives,  # type: ignore[arg-type]
        parameters={"converter": "choice(a, b)"},
        fixed=(),
        note="",
        best=best_of(trials, objectives),  # type: ignore[arg-type]
        trials=trials,
    )


def test_the_front_leaves_out_what_was_rejected_and_what_was_tried_before() -> None:
    found = studied((100, 30), (90, 20), (80, 10), (95, 19), verdicts="aara")
    assert found.best == (0, 1)
    again = found.trials[1]
    repeated = Trial(number=4, state="complete", parameters=again.parameters, values=again.values, verdict="accepted")
    assert best_of((*found.trials, repeated), found.objectives) == (0, 1)
    assert best_of(found.trials, {"size.bytes": "minimize"}) == (1,)


def test_the_page_shows_the_best_trials_and_runs_nothing_of_theirs() -> None:
    found = studied((100, 30), (90, 20), (95, 10))
    rows = complete([{**child(number), "build_key": f"{number:064x}"} for number in range(3)])
    html = render_sweep(rows, study=found)
    assert "Pareto front of 3 trials by size.bytes (minimize), parity.sqnr_db (maximize)" in html
    assert re.findall(r">Trial (\d)</a>", html) == ["0", "1"]
    assert HOSTILE not in html
    assert "Trial 0" not in render_sweep(rows)


def test_the_terminal_names_the_best_trials_or_the_nearest(tmp_path: Path) -> None:
    console = Console(record=True, width=200, file=io.StringIO())
    screen = Screen(console)
    screen.sweep([], tmp_path, tmp_path, studied((100, 30), (90, 20.5)))
    screen.sweep([], tmp_path, tmp_path, studied((100, 30), verdicts="r"))
    said = console.export_text()
    assert f"  [1] converter={HOSTILE} seed=1: size.bytes 90, parity.sqnr_db 20.5\n" in said
    assert "none of 1 trial by size.bytes (minimize), parity.sqnr_db (maximize) was accepted\n" in said
    assert "  nearest to its bounds: [0]" in said


def test_a_record_that_is_none_is_refused(tmp_path: Path) -> None:
    assert read_study(tmp_path) is None
    (tmp_path / FILE).write_text("{}")
    with pytest.raises(OutputAltered, match="is no record of a study"):
        read_study(tmp_path)


@pytest.mark.slow
def test_children_that_their_recipe_refuses_are_failed_trials_of_the_sweep(tmp_path: Path) -> None:
    project = write_project(tmp_path, {"digits.yaml": recipe("/converter: none")})
    overrides = ["recipe=digits", "hydra/sweeper=recipekit_optuna", "converter.weight_bits=5,6,7", "seed=1"]
    watch = SweepScreen(stderr=True, explain=False)
    result = run_sweep(project, [*overrides, "hydra.sweeper.sampler=grid"], Settings(), watch, watch.begun)
    watch.stopped()
    assert watch.total == 20, "as many as the study may have"
    assert [outcome.status for outcome in result.outcomes] == ["failed"] * 3
    assert result.study is not None
    assert [(trial.number, trial.state) for trial in result.study.trials] == [(at, "failed") for at in range(3)]
    assert all(trial.error.startswith("RK201") for trial in result.study.trials)
    assert result.study.note.startswith("all 3 combinations have been tried")
    assert {path.name for path in result.folder.iterdir()} >= {FILE, JOURNAL, "summary.json", "summary.html"}
