"""Ctrl-C as a terminal sends it, to the whole process group: over in a second, no process left, said what is kept."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import psutil
import pytest

from tests.built_models import built_once
from tests.busyness import slowed
from tests.faults.signalled import all_ended, family, in_stage, living, started, stopped, wait_until
from tests.faults.standing import RECIPE, Standing, left_in_staging, picture
from tests.forked_workers import HELD_STAGE

pytestmark = pytest.mark.slow

SECONDS = 1.0
"""From the signal to the end, on a machine that has nothing else to do."""

BUSY = """
import subprocess, sys, time
from pathlib import Path
import numpy as np

def samples(mark="", pause=0.0):
    if mark:
        command = [sys.executable, "-c", "import time; time.sleep(600)"]
        near, far = subprocess.Popen(command), subprocess.Popen(command, start_new_session=True)
        Path(mark).write_text(f"{near.pid} {far.pid}")
        time.sleep(600)
    return Slow(np.random.default_rng(3).normal(size=(64, 64)).astype(np.float32), pause)

class Slow:
    def __init__(self, points, pause):
        self.points, self.pause = points, pause
    def __len__(self):
        return len(self.points)
    def __getitem__(self, index):
        time.sleep(self.pause)
        return Sample(tensors=self.points[index], id=str(index))

from recipekit.contracts import Sample
"""
PYTHON = RECIPE.replace("plugin: npz, path: data/samples.npz", "plugin: python, factory: 'busy.py:samples'")


class Ended(NamedTuple):
    """An interrupted command: what it said, and how long it took to end."""

    err: str
    seconds: float


def ctrl_c(
    project: Path, reached: Callable[[], object], *arguments: str, tensorflow: bool = False, held: str = ""
) -> Ended:
    """Interrupts a run's process group once something is reached; asserts that nothing lives on or is half done.

    Args:
        project: its folder.
        reached: whether it is.
        arguments: of the command.
        tensorflow: as in `started`.
        held: a stage too short to be caught, which stands still at its beginning until now.
    """
    before = picture(project)
    with started(project, *arguments, variables={HELD_STAGE: held}, tensorflow=tensorflow) as process:
        wait_until(lambda: reached() and (not held or stopped(process)), process)
        children = family(process)
        for worker in stopped(process):
            worker.resume()
        asked = time.monotonic()
        os.killpg(process.pid, signal.SIGINT)
        _, err = all_ended(process, children)
        took = time.monotonic() - asked
    assert process.returncode == 130, err
    assert "Traceback" not in err
    assert living(children) == []
    assert left_in_staging(project) == []
    if "-m" not in arguments:  # a child that fails leaves its work folder to the next build
        assert not [path for path in (project / "outputs" / ".work").glob("*/*") if path.is_dir()]
    sweeps = ("sweeps/", "tiny/0.8.0/")
    assert {name for name in picture(project) if not name.startswith(sweeps)} == set(before)
    busy = slowed()
    assert took < SECONDS * (2 * busy if busy > 1.1 else 1), err
    return Ended(err, took)


@pytest.fixture
def busy(standing: Standing) -> Standing:
    standing.write({"busy.py": BUSY, "recipes/tiny.yaml": PYTHON})
    return standing


def test_what_a_survey_has_started_ends_with_it_even_in_a_session_of_its_own(busy: Standing, tmp_path: Path) -> None:
    mark = tmp_path / "mark"

    def reached() -> bool:
        return mark.is_file() and len(mark.read_text().split()) == 2

    ended = ctrl_c(busy.root, reached, "recipe=tiny", f"+evaluation.dataset.kwargs.mark={mark}")
    assert living([psutil.Process(int(pid)) for pid in mark.read_text().split() if psutil.pid_exists(int(pid))]) == []
    assert "interrupted: the running build published nothing and kept no stage" in ended.err
    busy.codes.append(130)


@pytest.mark.parametrize("stage", ["reference", "measure"])
def test_an_evaluation_ends_and_names_the_stages_that_are_kept(busy: Standing, stage: str) -> None:
    ended = ctrl_c(busy.root, in_stage(busy.root, stage), "recipe=tiny", "+evaluation.dataset.kwargs.pause=0.02")
    assert "published nothing\n  kept: " in ended.err
    kept = re.findall(r" in outputs/\.store: (.*)", ended.err)[0].split(", ")
    assert {"load"} <= set(kept) <= {"load", "quantize", "reference"}
    assert ended.err.endswith("  go on: the same command again; what is kept is found and not made anew\n")
    done = busy.run("recipe=tiny", "+evaluation.dataset.kwargs.pause=0.02")
    assert all(f"  found {step}" in done.out for step in kept)
    busy.codes += [130, done.code]


def test_a_rebuild_says_that_it_keeps_nothing(busy: Standing) -> None:
    pause = "+evaluation.dataset.kwargs.pause=0.02"
    ended = ctrl_c(busy.root, in_stage(busy.root, "reference"), "recipe=tiny", pause, "--rebuild")
    assert "with --rebuild no stage is kept" in ended.err
    busy.codes.append(130)


def test_a_sweep_ends_and_says_how_many_children_count_and_where_their_summary_is(busy: Standing) -> None:
    arguments = ["-m", "recipe=tiny", "version='0.8.0'", "+evaluation.dataset.kwargs.pause=0.0,0.06", "seed=range(0,6)"]

    def reached() -> bool:
        return bool(list(busy.root.glob("outputs/sweeps/*/*/outcome.json")))

    ended = ctrl_c(busy.root, reached, *arguments)
    (summary,) = busy.root.glob("outputs/sweeps/*/summary.json")
    rows = json.loads(summary.read_text())
    assert 1 <= len(rows) < 12
    assert all(row["verdict"] == "accepted" for row in rows)
    assert f"interrupted: {len(rows)} of 12 children have ended; those that ran published nothing" in ended.err
    assert f"summary: {summary.with_suffix('.html').relative_to(busy.root)}" in ended.err
    busy.codes.append(130)


def importing(project: Path) -> Callable[[], bool]:
    """Whether a worker imports TensorFlow right now."""

    def imports() -> bool:
        maps = Path("/proc").glob("[0-9]*/cmdline")
        return any(
            b"--serve\0tensorflow" in _read(path) and _read(path.with_name("environ")).find(str(project).encode()) >= 0
            for path in maps
        )

    return imports


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:  # it has ended meanwhile
        return b""


@pytest.mark.tensorflow
@pytest.mark.parametrize("phase", ["import", "lower", "calibrate"])
def test_tensorflow_ends_as_fast(
    tmp_path_factory: pytest.TempPathFactory, tmp_path: Path, phase: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = Path(shutil.copytree(built_once("tiny_classifier", tmp_path_factory), tmp_path / "tiny"))
    monkeypatch.setenv("RECIPEKIT_STORE", str(project / "outputs" / ".store"))
    reached = importing(project) if phase == "import" else in_stage(project, phase)
    long = ["representative_dataset.count=20000"] if phase == "calibrate" else []
    held = "lower" if phase == "lower" else ""
    ctrl_c(project, reached, "recipe=tiny", *long, tensorflow=phase != "import", held=held)
