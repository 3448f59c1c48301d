"""Sweeps of thousands of children: the driver's memory stays flat, and whenever it is stopped its folder is whole."""

from __future__ import annotations

import csv
import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import recipekit.sweeping
from recipekit.launching import Task
from recipekit.outcome import Outcome
from recipekit.pipeline import Settings
from recipekit.sweeping import run_sweep
from tests.recipe_projects import RECIPE, write_project
from tests.synthetic_sweep import Nowhere

_BYTES_A_CHILD = 2_500
"""An outcome in memory takes ten times as much, the words of an override and its place in the grid less than half."""

_BYTES_A_ROW = 1_000
"""Of a page that is made anew from a summary, of which a row in memory takes more than twice as much."""

REPORT = """
import io, sys
from contextlib import redirect_stdout
from recipekit.cli import main
from tests.synthetic_sweep import peak_bytes
with redirect_stdout(io.StringIO()):
    assert main(["report", sys.argv[1]]) == 0
print(peak_bytes())
"""

_SECONDS_A_CHILD = 0.02
"""Of the driver's processor time; a tenth of that on an idle machine."""

_PARTING_SECONDS = 1.5
"""Of processor time after Ctrl-C, the summary left out."""

_SUMMARY_SECONDS = 0.0015
"""Of processor time for a child in a summary; a third of that on an idle machine."""


class NoScreen:
    """Watches a child and shows nothing."""

    def __getattr__(self, _: str) -> Callable[..., None]:
        return lambda *_: None


def synthetic(folder: Path, *numbers: int) -> subprocess.Popen[str]:
    folder.mkdir()
    arguments = [sys.executable, "-m", "tests.synthetic_sweep", str(folder), *map(str, numbers)]
    repository = Path(__file__).resolve().parents[1]
    with (folder / "printed.txt").open("w") as printed:
        return subprocess.Popen(arguments, cwd=repository, stdout=printed, stderr=subprocess.PIPE, text=True)


def whole_summary(folder: Path) -> int:
    """How many children a sweep's summary has, once it agrees with what each has left, and nothing else is there."""
    rows = json.loads((folder / "summary.json").read_bytes())
    ended = sorted(int(path.parent.name) for path in folder.glob("*/outcome.json"))
    assert [row["number"] for row in rows] == ended
    assert {path.name for path in folder.iterdir() if not path.is_dir()} == {
        "summary.json",
        "summary.csv",
        "summary.html",
        "sweep.json",
    }
    with (folder / "summary.csv").open(newline="") as table:
        assert [int(line["number"]) for line in csv.DictReader(table)] == ended
    data = re.search(r'<script id="children"[^>]*>(.*?)</script>', (folder / "summary.html").read_text(), re.DOTALL)
    assert data is not None
    assert [row[0] for row in json.loads(data[1])["rows"]] == ended
    return len(rows)


def reported_anew(folder: Path) -> int:
    """The peak memory of `recipekit report`, which makes a sweep's page again as it was."""
    published = (folder / "summary.html").read_bytes()
    (folder / "summary.html").unlink()
    done = subprocess.run([sys.executable, "-c", REPORT, str(folder)], capture_output=True, text=True, check=True)
    assert (folder / "summary.html").read_bytes() == published
    return int(done.stdout)


@pytest.mark.slow
def test_the_driver_s_memory_and_time_hardly_grow_with_the_children(tmp_path: Path) -> None:
    measured, peaks_of_report = {}, []
    for children in (100, 2_100):
        process = synthetic(tmp_path / str(children), children)
        measured[children] = json.loads(process.communicate()[1].splitlines()[-1])
        assert measured[children]["exit_code"] == 3
        (folder,) = (tmp_path / str(children) / "outputs" / "sweeps").iterdir()
        assert whole_summary(folder) == children
        peaks_of_report.append(reported_anew(folder))
    few, many = measured.values()
    assert (many["peak"] - few["peak"]) / 2_000 < _BYTES_A_CHILD
    assert (many["seconds"] - few["seconds"]) / 2_000 < _SECONDS_A_CHILD
    assert (peaks_of_report[1] - peaks_of_report[0]) / 2_000 < _BYTES_A_ROW


@pytest.mark.slow
@pytest.mark.parametrize("stopped", [5, 700, 1_900])
def test_ctrl_c_at_any_time_leaves_a_summary_of_what_has_ended(tmp_path: Path, stopped: int) -> None:
    process = synthetic(tmp_path / "project", 2_000, stopped)
    said = process.communicate()[1]
    result = json.loads(said.splitlines()[-1])
    assert result["exit_code"] == process.returncode == 130
    (folder,) = (tmp_path / "project" / "outputs" / "sweeps").iterdir()
    ended = whole_summary(folder)
    assert stopped <= ended < 2_000
    assert f"interrupted: {ended} of 2000 children have ended" in said
    assert result["parting"] < _PARTING_SECONDS + ended * _SUMMARY_SECONDS


@pytest.mark.parametrize("stopped_at", [0, 1, 13, 39])
def test_a_sweep_that_is_stopped_at_any_child_is_whole(
    tmp_path: Path, stopped_at: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Stopped(Nowhere):
        def launch(self, tasks: Iterator[Task], ended: Callable[[Outcome], None]) -> None:
            for task in tasks:
                if task.number == stopped_at:
                    raise KeyboardInterrupt
                ended(self.outcome(task))

    monkeypatch.setattr(recipekit.sweeping, "Here", Stopped)
    project = write_project(tmp_path, {"digits.yaml": RECIPE})
    with pytest.raises(KeyboardInterrupt):
        run_sweep(project, ["recipe=digits", "seed=range(40)"], Settings(), lambda _: NoScreen())
    (folder,) = (tmp_path / "outputs" / "sweeps").iterdir()
    if stopped_at:
        assert whole_summary(folder) == stopped_at
    else:
        assert {path.name for path in folder.iterdir()} == {"sweep.json", "copied"}, "it can go on, and has no children"
