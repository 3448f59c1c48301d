"""Launchers of Hydra's own kind that lose children in every way: each child ends once, and only lost ones fail.

The launchers here stand for plugins that aren't installed; the joblib one is run by test_contract.py.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recipekit.compose.composition import compose
from recipekit.compose.hydra_launcher import HydraLauncher
from recipekit.launching import ByHydra, Task, traces
from recipekit.outcome import Outcome
from recipekit.pipeline import Settings, read_job
from recipekit.project import Project
from tests.properties import at_most
from tests.recipe_projects import RECIPE, write_project

Child = Callable[[int], None]


class Fragile(HydraLauncher):
    """Runs children in their order, some at once, until one of them takes the launcher with it.

    Attributes:
        launches: the children of each launch.
    """

    def __init__(self, project: Project, at_once: int, deadly: Sequence[int], silent: bool) -> None:
        super().__init__(project, (), (), project.root)
        self.launches: list[list[int]] = []
        self._at_once = at_once
        self._deadly = deadly
        self._silent = silent

    def launch(self, numbers: Sequence[int], child: Child) -> None:
        self.launches.append([*numbers])
        for start in range(0, len(numbers), self._at_once):
            together = numbers[start : start + self._at_once]
            if set(together) & set(self._deadly):
                for number in together:
                    self.begin(number)
                if self._silent:
                    return
                raise OSError(f"a process died\nbeside {len(together)}")
            for number in together:
                child(number)

    def begin(self, number: int) -> None:
        (self._project.root / "children" / f"{number}.begun").touch()


@pytest.fixture(scope="module")
def task(tmp_path_factory: pytest.TempPathFactory) -> Task:
    project = write_project(tmp_path_factory.mktemp("fragile"), {"digits.yaml": RECIPE, "../models/m.keras": b"PK"})
    return Task(0, read_job(compose(project, ["recipe=digits"])), Settings())


@pytest.fixture(autouse=True)
def built_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A child is built as soon as it begins; which ones do is all that matters here."""

    def build(task: Task) -> Outcome:
        return Outcome(recipe=task.job.option, number=task.number, status="accepted", seconds=0.0)

    monkeypatch.setattr(traces, "run_task", build)
    monkeypatch.setattr("recipekit.launching.by_hydra._PAUSE_SECONDS", 0.001)


def launched(task: Task, plugin: HydraLauncher, count: int) -> dict[int, Outcome]:
    ended: list[Outcome] = []
    with ByHydra(plugin, task.job.project.root / "children") as launcher:
        launcher.launch((task._replace(number=number) for number in range(count)), ended.append)
    assert sorted(outcome.number for outcome in ended) == list(range(count)), "each ends once"
    assert not (task.job.project.root / "children").exists()
    return {outcome.number: outcome for outcome in ended}


@given(
    count=st.integers(1, 9),
    at_once=st.integers(1, 4),
    deadly=st.sets(st.integers(0, 8), max_size=3),
    silent=st.booleans(),
)
@settings(max_examples=at_most(60))
def test_only_children_that_take_their_launcher_with_them_are_lost(
    task: Task, count: int, at_once: int, deadly: set[int], silent: bool
) -> None:
    plugin = Fragile(task.job.project, at_once, sorted(deadly), silent)
    outcomes = launched(task, plugin, count)
    assert {number for number, outcome in outcomes.items() if outcome.failure} == {it for it in deadly if it < count}
    for outcome in outcomes.values():
        if outcome.failure:
            why = "it reports no result" if silent else "OSError: a process died"
            assert (outcome.recipe, outcome.failure.id) == ("digits", "RK425")
            assert outcome.failure.what == f"the launcher has lost it: {why}"


def test_a_launcher_that_begins_no_child_is_asked_once(task: Task) -> None:
    class Unwilling(Fragile):
        def begin(self, number: int) -> None:
            """Nothing begins."""

    plugin = Unwilling(task.job.project, 2, [0, 1, 2], silent=False)
    outcomes = launched(task, plugin, 3)
    assert plugin.launches == [[0, 1, 2]]
    assert {outcome.failure.what for outcome in outcomes.values() if outcome.failure} == {
        "the launcher has lost it: OSError: a process died"
    }


def test_those_under_way_are_begun_again_one_at_a_time_behind_those_that_had_not_begun(task: Task) -> None:
    plugin = Fragile(task.job.project, 2, [1], silent=False)
    launched(task, plugin, 5)
    assert plugin.launches == [[0, 1, 2, 3, 4], [2, 3, 4], [0], [1]]


def test_a_defect_in_a_launcher_s_process_is_that_child_s_row(task: Task, monkeypatch: pytest.MonkeyPatch) -> None:
    def break_down(task: Task) -> Outcome:
        raise ZeroDivisionError("by a child\nof two lines")

    monkeypatch.setattr(traces, "run_task", break_down)
    outcome = launched(task, Fragile(task.job.project, 1, [], silent=False), 1)[0]
    assert outcome.failure is not None
    assert (outcome.failure.id, outcome.exit_code) == ("RK100", 1)
    assert outcome.failure.what == "ZeroDivisionError: by a child"


def test_an_error_of_whoever_is_told_ends_the_launch(task: Task) -> None:
    def refuse(_: Outcome) -> None:
        raise PermissionError("the disk is read-only")

    plugin = Fragile(task.job.project, 1, [], silent=False)
    with ByHydra(plugin, Path(task.job.project.root / "children")) as launcher, pytest.raises(PermissionError):
        launcher.launch(iter([task]), refuse)
