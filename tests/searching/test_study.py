"""A study finds what is best within the bounds, whoever drives it, and goes on where another driver was lost."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from threading import Event, Lock
from typing import Any

import pytest
from optuna import create_study, load_study
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import Trial

from recipekit.acceptance import Acceptance, Bound
from recipekit.compose.composition import Composition
from recipekit.compose.searches import Search, search_of
from recipekit.contracts import Measurement
from recipekit.errors import EnvironmentFault, OutputFault, RecipekitError, UsageError
from recipekit.searching import open_study
from recipekit.searching.storage import JOURNAL
from recipekit.studied import FILE, Studied
from tests.searching.synthetic import Synthetic, launch, measured, valley

pytestmark = pytest.mark.slow

SEED = "seed=int(interval(0,99))"
SMALL = "hydra.sweeper.objectives={size.bytes: minimize}"
BOTH = "hydra.sweeper.objectives={size.bytes: minimize, parity.sqnr_db: maximize}"


def trials(count: int) -> str:
    return f"hydra.sweeper.n_trials={count}"


def tried(found: Studied) -> list[tuple[int, dict[str, Any]]]:
    return [(trial.number, trial.parameters) for trial in found.trials]


def test_tpe_comes_closer_to_the_best_accepted_child_than_chance(tmp_path: Path) -> None:
    bounds = Acceptance(parity={"sqnr_db": Bound(min=35)})  # seeds from 45 to 55: least in size at 45
    synthetic = Synthetic(tmp_path, SEED, "description=a,b", SMALL, acceptance=bounds)
    found = synthetic.run(trials(60))
    (best,) = found.best_trials()
    assert best.verdict == "accepted"
    assert best.parameters["description"] == "b"
    assert 45 <= int(best.parameters["seed"]) <= 47
    late = [trial for trial in found.trials if trial.number >= 30]
    accepted = [trial for trial in late if trial.verdict == "accepted"]
    assert len(accepted) > len(late) / 3, "by chance it would be one of nine"
    assert all((trial.violation > 0) == (trial.verdict == "rejected") for trial in found.trials)


@pytest.mark.parametrize("sampler", ["tpe", "nsgaii", "random", "qmc"])
def test_of_several_objectives_the_front_is_what_no_other_trial_beats(tmp_path: Path, sampler: str) -> None:
    synthetic = Synthetic(tmp_path, SEED, BOTH, trials(40), f"hydra.sweeper.sampler={sampler}")
    found = synthetic.run(workers=3)
    costs = {(trial.values["size.bytes"], -trial.values["parity.sqnr_db"]) for trial in found.trials}

    def beaten(cost: tuple[float, float]) -> bool:
        return any(size <= cost[0] and loss <= cost[1] for size, loss in costs - {cost})

    best = [(trial.values["size.bytes"], -trial.values["parity.sqnr_db"]) for trial in found.best_trials()]
    assert sorted(best) == sorted(cost for cost in costs if not beaten(cost)), "and of equal ones one"
    assert 3 <= len(best) < len(costs)
    assert found.headline() == "Pareto front of 40 trials by size.bytes (minimize), parity.sqnr_db (maximize)"


def test_tpe_looks_for_a_front_where_it_is(tmp_path: Path) -> None:
    found = Synthetic(tmp_path, SEED, BOTH, trials(40)).run()
    late = [37 <= int(trial.parameters["seed"]) <= 50 for trial in found.trials[20:]]
    assert sum(late) > len(late) / 4, "by chance it would be one of seven"


def test_a_grid_tries_every_combination_once_and_the_search_ends_early(tmp_path: Path) -> None:
    synthetic = Synthetic(tmp_path, "seed=range(36,39)", "description=a,b", SMALL, "hydra.sweeper.sampler=grid")
    found = synthetic.run(trials(50), workers=2)
    pairs = [(trial.parameters["seed"], trial.parameters["description"]) for trial in found.trials]
    assert sorted(pairs) == [(seed, tag) for seed in (36, 37, 38) for tag in "ab"]
    assert found.note == "all 6 combinations have been tried, so the search ended after 6 trials"
    assert [trial.parameters for trial in found.best_trials()] == [{"seed": 37, "description": "b"}]


def test_a_space_that_is_exhausted_ends_any_search_early(tmp_path: Path) -> None:
    found = Synthetic(tmp_path, "description=a,b", SMALL).run(trials(50))
    assert {trial.parameters["description"] for trial in found.trials} == {"a", "b"}
    assert len(found.trials) < 50
    assert found.note.startswith("all 2 combinations have been tried")


def test_a_study_with_one_worker_is_the_same_each_time(tmp_path: Path) -> None:
    one, same, other = (
        Synthetic(tmp_path / name, SEED, SMALL, trials(14), f"hydra.sweeper.seed={seed}").run()
        for name, seed in (("one", 3), ("same", 3), ("other", 4))
    )
    assert tried(one) == tried(same)
    assert tried(one) != tried(other)


def test_an_interrupted_study_goes_on_as_if_it_had_not_been(tmp_path: Path) -> None:
    whole = Synthetic(tmp_path / "whole", SEED, SMALL, trials(14)).run()
    broken = Synthetic(tmp_path / "broken", SEED, SMALL, trials(14))
    assert len(broken.run(children=5).trials) == 6, "five have ended; the sixth was chosen and never told"
    assert tried(broken.run()) == tried(whole)
    assert all(trial.state == "complete" for trial in broken.found().trials)


def test_a_child_that_ended_unseen_is_told_and_not_run_again(tmp_path: Path) -> None:
    synthetic = Synthetic(tmp_path, SEED, SMALL, trials(6))
    with synthetic.study() as study:
        number, child = next(iter(study))
    seen = synthetic.outcome(number, child)
    search = search_of(synthetic.project, synthetic.overrides)
    assert search is not None
    with open_study(search, synthetic.folder, lambda asked: seen if asked == number else None) as study:
        again = []
        for number, child in study:
            study.ended(synthetic.outcome(number, child))
            again.append(number)
    assert again == [1, 2, 3, 4, 5]


def test_a_child_whose_end_was_kept_by_half_is_told_without_a_word(tmp_path: Path) -> None:
    bounds = Acceptance(size={"bytes": Bound(max=2000)})
    synthetic = Synthetic(tmp_path, SEED, SMALL, trials(1), acceptance=bounds)
    with synthetic.study() as study:
        number, child = next(iter(study))
    storage = JournalStorage(JournalFileBackend(str(synthetic.folder / JOURNAL)))
    half = Trial(load_study(storage=storage, study_name="sweep"), 0)
    half.set_constraint("size.bytes.max", 0.5)
    seen = synthetic.outcome(number, child)
    search = search_of(synthetic.project, synthetic.overrides)
    assert search is not None
    with open_study(search, synthetic.folder, lambda _: seen) as study:
        assert list(study) == []
    assert [trial.state for trial in synthetic.found().trials] == ["complete"]


def test_many_workers_share_a_study_without_telling_a_number_twice(tmp_path: Path) -> None:
    synthetic, guard, under_way, most = Synthetic(tmp_path, SEED, SMALL, trials(30)), Lock(), set[int](), 0
    many = Event()
    with synthetic.study() as study:

        def end(number: int, child: Any) -> None:
            many.wait(60)  # the first ones, until others have been chosen beside them
            study.ended(synthetic.outcome(number, child))
            with guard:
                under_way.discard(number)

        def watched() -> Any:
            nonlocal most
            for number, child in study:
                with guard:
                    assert number not in under_way
                    under_way.add(number)
                    most = max(most, len(under_way))
                    if most == 4:
                        many.set()
                yield number, child

        launch(watched(), end, workers=6)
    found = synthetic.found()
    assert [trial.number for trial in found.trials] == list(range(30))
    assert {trial.state for trial in found.trials} == {"complete"}
    assert most >= 4


def test_a_failed_child_is_a_failed_trial_and_no_value(tmp_path: Path) -> None:
    def measure(mapping: Mapping[str, Any]) -> Measurement | None:
        return None if mapping["seed"] % 2 else valley(mapping)

    found = Synthetic(tmp_path, SEED, SMALL, trials(12)).run(measure=measure)
    states = {int(trial.parameters["seed"]) % 2: trial.state for trial in found.trials}
    assert states == {0: "complete", 1: "failed"}
    failed = next(trial for trial in found.trials if trial.state == "failed")
    assert (failed.values, failed.verdict, failed.error) == ({}, "failed", "RK421 the worker was killed")
    assert found.best


def test_where_nothing_is_accepted_the_nearest_is_named(tmp_path: Path) -> None:
    bounds = Acceptance(size={"bytes": Bound(max=500)})
    found = Synthetic(tmp_path, SEED, SMALL, trials(8), acceptance=bounds).run()
    nearest = found.nearest()
    assert found.best == ()
    assert nearest is not None
    assert nearest.values["size.bytes"] == min(trial.values["size.bytes"] for trial in found.trials)
    assert found.headline() == "none of 8 trials by size.bytes (minimize) was accepted"


def test_an_objective_that_the_first_child_does_not_measure_ends_the_search(tmp_path: Path) -> None:
    synthetic = Synthetic(tmp_path, SEED, "hydra.sweeper.objectives={target.sram_kib: minimize}", trials(9))
    with pytest.raises(UsageError, match=re.escape("the objective 'target.sram_kib' is not measured")) as caught:
        synthetic.run()
    assert "size.bytes" in caught.value.fix
    assert [trial.state for trial in synthetic.found().trials] == ["failed"]


def test_an_objective_that_one_child_lacks_is_that_child_s_failure(tmp_path: Path) -> None:
    found = Synthetic(
        tmp_path, "description=a,b", "hydra.sweeper.objectives={parity.sqnr_db: maximize}", trials(9)
    ).run(measure=lambda mapping: measured(900, 30) if mapping["description"] == "b" else None)
    assert {trial.parameters["description"]: trial.state for trial in found.trials} == {"a": "failed", "b": "complete"}


DRIVER = """
import os, signal, sys, pathlib
from tests.searching.synthetic import Synthetic, valley
root, *overrides = sys.argv[1:]
synthetic = Synthetic(pathlib.Path(root), *overrides)
def dying(mapping):
    dying.left -= 1
    if not dying.left:
        os.kill(os.getpid(), signal.SIGKILL)
    return valley(mapping)
dying.left = 5
synthetic.run(measure=dying)
"""


def killed(root: Path, *overrides: str) -> None:
    """A driver in a process of its own that is killed while its fifth child runs."""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    done = subprocess.run(
        [sys.executable, "-c", DRIVER, str(root), *overrides],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr


@pytest.mark.parametrize("storage", [(), ("hydra.sweeper.storage=sqlite:///kept.db", "hydra.sweeper.study_name=s")])
def test_a_study_whose_driver_was_killed_goes_on_in_its_sweep(tmp_path: Path, storage: tuple[str, ...]) -> None:
    overrides = (SEED, SMALL, trials(9), *storage)
    killed(tmp_path, *overrides)
    assert not (tmp_path / "sweep" / FILE).exists()
    found = Synthetic(tmp_path, *overrides).run()
    whole = Synthetic(tmp_path / "whole", *overrides).run()
    assert tried(found) == tried(whole)
    assert {trial.state for trial in found.trials} == {"complete"}
    assert (tmp_path / "kept.db").is_file() == bool(storage), "relative to the project"


def test_a_sweep_goes_on_with_another_one_s_study_and_counts_its_trials(tmp_path: Path) -> None:
    overrides = (SEED, SMALL, trials(9), "hydra.sweeper.storage=kept/s.journal", "hydra.sweeper.study_name=s")
    killed(tmp_path, *overrides)
    second = Synthetic(tmp_path, *overrides)
    second.folder = tmp_path / "another"
    second.folder.mkdir()
    found = second.run()
    assert [(trial.sweep, trial.state) for trial in found.trials] == [
        *[("sweep", "complete")] * 4,
        ("sweep", "running"),  # of a driver that nobody knows to be lost
        *[("another", "complete")] * 5,
    ]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (("seed=int(interval(0,98))", SMALL), "'seed' is 0 to 99 by 1 there, 0 to 98 by 1 here"),
        ((SEED, "name=x,y", SMALL), "'name' is not varied there, choice(x, y) here"),
        ((SEED, BOTH), "has other objectives: size.bytes: minimize there, size.bytes: minimize, parity.sqnr_db"),
        ((SEED, SMALL, "version=2.0.0"), "has other overrides: recipe=digits there, recipe=digits version=2.0.0 here"),
    ],
)
def test_a_study_is_not_continued_with_another_search(tmp_path: Path, changed: tuple[str, ...], said: str) -> None:
    kept = ("hydra.sweeper.storage=kept.journal", "hydra.sweeper.study_name=s", trials(2))
    Synthetic(tmp_path, SEED, SMALL, *kept).run()
    with pytest.raises(UsageError, match=re.escape(said)):
        Synthetic(tmp_path, *changed, *kept).run()


@pytest.mark.parametrize(
    ("storage", "error", "said"),
    [
        ("studies.db", UsageError, "'studies.db' names no storage"),
        ("nothing://", UsageError, "names no storage"),
        ("notes.journal", UsageError, "is a file, and no journal of a study"),
        ("sqlite:////no/such/folder/x.db", OutputFault, "the study's storage failed"),
        ("postgresql+nodriver://team:hunter2secret@host/db", RecipekitError, "[withheld]"),
        ("mysql+pymysql://team:hunter2secret@host/db", EnvironmentFault, "a package that is missing"),
    ],
)
def test_a_storage_that_cannot_be_opened_is_named_without_its_secrets(
    tmp_path: Path, storage: str, error: type[RecipekitError], said: str
) -> None:
    (tmp_path / "notes.journal").write_text("my notes\n")
    synthetic = Synthetic(tmp_path, SEED, f"hydra.sweeper.storage='{storage}'", "hydra.sweeper.study_name=s")
    with pytest.raises(error, match=re.escape(said)) as caught:
        synthetic.run()
    assert "hunter2secret" not in str(caught.value)
    assert (tmp_path / "notes.journal").read_text() == "my notes\n"


def test_a_study_that_is_not_ours_is_left_alone(tmp_path: Path) -> None:
    storage = f"sqlite:///{tmp_path}/kept.db"
    create_study(storage=storage, study_name="s").optimize(lambda trial: trial.suggest_float("x", 0, 1), 1)
    kept = ("hydra.sweeper.storage=sqlite:///kept.db", "hydra.sweeper.study_name=s")
    with pytest.raises(UsageError, match="was not made by recipekit"):
        Synthetic(tmp_path, SEED, SMALL, *kept).run()


def test_values_that_do_not_compose_together_are_one_failed_trial(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def child(search: Search, values: Mapping[str, Any]) -> Composition:
        if values["seed"] == "2" and values["description"] == "b":  # neither of them alone
            raise UsageError("these don't go together", where="command line")
        return composed(search, values)

    composed = Search.child
    monkeypatch.setattr(Search, "child", child)
    found = Synthetic(tmp_path, "seed=1,2", "description=a,b", SMALL, "hydra.sweeper.sampler=grid", trials(9)).run()
    failed = [trial for trial in found.trials if trial.state == "failed"]
    assert [(trial.parameters, trial.error) for trial in failed] == [
        ({"seed": "2", "description": "b"}, "RK101 these don't go together")
    ]
    assert len(found.trials) == 4


def test_without_optuna_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith(("recipekit.searching.", "optuna"))]:
        if name not in {"recipekit.searching.opening", "recipekit.searching.settings"}:
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(EnvironmentFault, match="needs the package optuna") as caught:
        Synthetic(tmp_path, SEED, SMALL).run()
    assert caught.value.fix == "pip install 'recipekit[optuna]'"
