"""A sweep that searches ends as any sweep does, with its study beside the summary; what it found is shown."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path

import msgspec
import pytest
from rich.console import Console

from recipekit.audit.comparison import compared
from recipekit.audit.sweep_verification import verify_sweep
from recipekit.cli.screen import Screen
from recipekit.cli.sweep_screen import SweepScreen
from recipekit.errors import OutputAltered
from recipekit.outcome import Outcome
from recipekit.pipeline import Settings
from recipekit.report import sweep_page
from recipekit.searching.storage import JOURNAL
from recipekit.signing.checking import Trust
from recipekit.studied import FILE, Studied, Trial, best_of, read_study
from recipekit.summarising import summarise
from recipekit.summary import complete
from recipekit.sweeping import run_sweep
from tests.recipe_projects import recipe, write_project
from tests.sweep_rows import child
from tests.test_outcome import MEASUREMENT

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
    html = "".join(sweep_page(rows, study=found))
    assert "Pareto front of 3 trials by size.bytes (minimize), parity.sqnr_db (maximize)" in html
    assert re.findall(r">Trial (\d)</a>", html) == ["0", "1"]
    assert HOSTILE not in html
    assert "Trial 0" not in "".join(sweep_page(rows))


def test_the_terminal_names_the_best_trials_or_the_nearest(tmp_path: Path) -> None:
    console = Console(record=True, width=200, file=io.StringIO())
    screen = Screen(console)
    screen.sweep([], tmp_path, tmp_path, studied((100, 30), (90, 20.5)))
    screen.sweep([], tmp_path, tmp_path, studied((100, 30), verdicts="r"))
    said = console.export_text()
    assert f"  [1] converter={HOSTILE} seed=1: size.bytes 90, parity.sqnr_db 20.5\n" in said
    assert "none of 1 trial by size.bytes (minimize), parity.sqnr_db (maximize) was accepted\n" in said
    assert "  nearest to its bounds: [0]" in said


def searched(folder: Path, objectives: dict[str, str]) -> Path:
    """The folder of a sweep that has searched: a small model, a faithful one, one in between, one that both beat."""
    sizes_and_cosines = [(100, 0.7), (300, 0.99), (200, 0.9), (310, 0.6)]
    for number, (size, cosine) in enumerate(sizes_and_cosines):
        parity = {"y": msgspec.structs.replace(MEASUREMENT.parity["logits"], cosine_similarity=cosine, sqnr_db=20.0)}
        measured = msgspec.structs.replace(MEASUREMENT, size=size, parity=parity)
        (folder / str(number)).mkdir(parents=True)
        it = Outcome(recipe="digits", number=number, status="accepted", seconds=1.0, measurement=measured)
        (folder / str(number) / "outcome.json").write_bytes(msgspec.json.encode(it))
    found = msgspec.structs.replace(studied((1, 1)), objectives=objectives, trials=(), best=())
    (folder / FILE).write_bytes(msgspec.json.encode(found))
    return folder


@pytest.mark.parametrize(
    ("objectives", "stated", "on_front"),
    [
        ({"size.bytes": "minimize"}, ["size:min"], [0]),
        ({"size.bytes": "maximize"}, ["size:max"], [3]),
        (
            {"parity.cosine_similarity": "maximize", "size.bytes": "minimize"},
            ["parity.cosine_similarity:max", "size:min"],
            [0, 1, 2],
        ),
    ],
)
def test_the_front_of_a_search_weighs_what_it_aimed_at_wherever_it_is_shown(
    tmp_path: Path, objectives: dict[str, str], stated: list[str], on_front: list[int]
) -> None:
    folder = searched(tmp_path / "sweep", objectives)
    summarise(folder)
    rows = json.loads((folder / "summary.json").read_text())
    assert [row["number"] for row in rows if row["pareto"]] == on_front
    assert all(row["pareto_objectives"] == stated for row in rows)
    with (folder / "summary.csv").open(newline="") as table:
        lines = list(csv.DictReader(table))
    assert [int(line["number"]) for line in lines if line["pareto"] == "True"] == on_front
    html = (folder / "summary.html").read_text()
    data = re.search(r'<script id="children"[^>]*>(.*?)</script>', html, re.DOTALL)
    assert data is not None
    shown = json.loads(data[1])
    heads = [column["key"] for column in shown["columns"]]
    assert [row[0] for row in shown["rows"] if row[heads.index("pareto")]] == on_front
    assert {each.partition(":")[0] for each in stated} <= set(heads)
    with compared([folder], folder) as again:
        assert list(again) == rows
    assert [str(it) for it in verify_sweep(folder, Trust())[0].differences] == []


def test_a_summary_of_another_front_than_the_search_s_is_told(tmp_path: Path) -> None:
    folder = searched(tmp_path / "sweep", {"size.bytes": "minimize"})
    summarise(folder)
    searched_for_more = msgspec.structs.replace(studied((1, 1)), objectives={"size.bytes": "maximize"})
    (folder / FILE).write_bytes(msgspec.json.encode(searched_for_more))
    places = {it.place for it in verify_sweep(folder, Trust())[0].differences}
    assert places >= {"summary.json child 0 pareto", "summary.json child 3 pareto"}
    (folder / FILE).write_text("{}")
    assert [it.place for it in verify_sweep(folder, Trust())[0].differences] == [FILE]


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
