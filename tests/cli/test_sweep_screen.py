"""One line for a whole sweep: how many children of how many, and what runs; it travels to other processes."""

from __future__ import annotations

import io
import pickle
from pathlib import Path

import msgspec
import pytest
from rich.console import Console

from recipekit.cli.kept_sweep import kept_of_sweep
from recipekit.cli.screen import Screen
from recipekit.cli.sweep_screen import SweepScreen
from recipekit.contracts import Progress
from recipekit.project import Project
from tests.ci.outcomes import PASSED, outcome


def test_children_that_end_are_counted_and_steps_that_run_are_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    screen = SweepScreen(stderr=False, explain=False)
    shown: list[Progress] = []
    monkeypatch.setattr(screen._display, "update", lambda step, progress: shown.append(progress))
    screen.begun(tmp_path, 5)
    children = [screen(number) for number in range(5)]
    for child in children[:4]:
        child.started("load")
    children[0].started("lower")
    assert str(shown[-1]) == "0 of 5 children, [0] load, [0] lower, [1] load and 2 more"
    children[0].finished("load", 1.0, "")
    children[1].ended(outcome("accepted", PASSED, number=1))
    assert str(shown[-1]) == "1 of 5 children, [0] lower, [2] load, [3] load"
    screen.stopped()
    assert "[1] digits seed=1: accepted in 1.5 s" in capsys.readouterr().out


def test_in_another_process_it_begins_anew() -> None:
    screen = SweepScreen(stderr=True, explain=True)
    screen.ended = 3
    other = pickle.loads(pickle.dumps(screen))
    assert (other.ended, other.total, other.folder) == (0, None, None)
    other(1).started("load")


def test_a_sweep_that_is_stopped_before_its_first_child_says_so(tmp_path: Path) -> None:
    project = Project(root=tmp_path, recipes=tmp_path / "recipes", outputs=tmp_path / "outputs")
    assert kept_of_sweep(SweepScreen(stderr=True, explain=False), project).startswith("no child had begun\n")


def test_of_many_children_the_table_shows_those_that_went_wrong_before_others(tmp_path: Path) -> None:
    rejected = [120, 7, 199]
    outcomes = [
        outcome("rejected" if number in rejected else "accepted", PASSED, number=number) for number in range(200)
    ]
    console = Console(file=io.StringIO(), width=100)
    Screen(console).sweep(outcomes, tmp_path, tmp_path)
    assert isinstance(console.file, io.StringIO)
    printed = console.file.getvalue()
    rows = [
        int(line.split()[0]) for line in printed.splitlines() if line.strip()[:1].isdigit() and "children" not in line
    ]
    assert rows == [*range(48), 120, 199]
    assert "50 of 200 children are shown: 197 accepted, 3 rejected in all" in printed


def test_of_few_children_the_table_shows_all(tmp_path: Path) -> None:
    console = Console(file=io.StringIO(), width=100)
    Screen(console).sweep([outcome("accepted", PASSED, number=number) for number in range(50)], tmp_path, tmp_path)
    assert isinstance(console.file, io.StringIO)
    assert "are shown" not in console.file.getvalue()


def test_what_all_children_have_in_common_is_told_once_beside_the_table(tmp_path: Path) -> None:
    def printed(*overrides: tuple[str, ...]) -> str:
        outcomes = [
            msgspec.structs.replace(outcome("accepted", PASSED, number=number), overrides=own)
            for number, own in enumerate(overrides)
        ]
        console = Console(file=io.StringIO(), width=100)
        Screen(console).sweep(outcomes, tmp_path, tmp_path)
        assert isinstance(console.file, io.StringIO)
        return console.file.getvalue()

    both = printed(("seed=0", "~acceptance.model"), ("seed=1", "~acceptance.model"))
    assert both.count("~acceptance.model") == 1
    assert "the same for all: ~acceptance.model\n" in both
    assert both.index("seed=1") < both.index("the same for all")
    equal = printed(("seed=0",), ("seed=0",))
    assert "overrides" not in equal
    alone = printed(("seed=0",))
    assert "seed=0" in alone
    assert "the same for all" not in alone
