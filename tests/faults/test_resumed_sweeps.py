"""A sweep that is interrupted or loses its process goes on, and comes to what it would have come to otherwise."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from recipekit import locks
from tests.commands import Done, command
from tests.faults.signalled import started, wait_until
from tests.faults.standing import OLDER, RECIPE, Standing
from tests.faults.whole_runs import Attempt

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
SLOW = """
import time
from pathlib import Path
import numpy as np

def samples(mode):
    while mode == "hold" and Path("hold").exists():
        time.sleep(0.01)
    return list(np.random.default_rng(3).normal(size=(24, 64)).astype(np.float32))
"""
HELD = RECIPE.replace("plugin: npz, path: data/samples.npz", "plugin: python, factory: 'slow.py:samples'")
HOLDING = ["-m", "recipe=tiny", OLDER, "+evaluation.dataset.kwargs.mode=a,b,c,hold"]
"""Children of which the last one waits as long as there is a file named `hold`."""


def the_sweep(root: Path) -> Path:
    (folder,) = (root / "outputs" / "sweeps").iterdir()
    return folder


def rows(root: Path) -> list[dict[str, Any]]:
    """The summary of the only sweep, without what differs from run to run."""
    found = json.loads((the_sweep(root) / "summary.json").read_text())
    return [{key: value for key, value in row.items() if key != "seconds"} for row in found]


def resume(standing: Standing, *arguments: str, **env: str) -> Done:
    done = standing.run("--resume", "latest", *arguments, **env)
    assert "Traceback" not in done.out + done.err, done.err
    return done


def ended(root: Path) -> int:
    """How many children have ended."""
    return len(list(root.glob("outputs/sweeps/*/*/outcome.json")))


def stopped(root: Path, number: signal.Signals) -> tuple[int, str]:
    """Sends a signal to a sweep of `HOLDING` once a child has ended; exit code and what it said."""
    (root / "hold").touch()
    with started(root, *HOLDING) as process:
        wait_until(lambda: ended(root), process)
        os.kill(process.pid, number)
        _, err = process.communicate(timeout=60)
    (root / "hold").unlink()
    return process.returncode, err


@pytest.fixture
def held(standing: Standing) -> Standing:
    standing.write({"slow.py": SLOW, "recipes/tiny.yaml": HELD})
    return standing


@pytest.fixture(scope="module")
def whole(pristine: Path, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """The summary of the same sweep as nothing disturbs it, in a project of its own."""
    other = Standing(pristine, tmp_path_factory.mktemp("whole") / "project")
    other.write({"slow.py": SLOW, "recipes/tiny.yaml": HELD})
    done = other.run(*HOLDING)
    assert done.code == 0, done.err
    return rows(other.root)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_a_stopped_sweep_goes_on_to_what_it_would_have_come_to(
    held: Standing, whole: list[dict[str, Any]], number: signal.Signals
) -> None:
    code, said = stopped(held.root, number)
    assert code == (130 if number == signal.SIGINT else -signal.SIGKILL)
    folder, before = the_sweep(held.root), ended(held.root)
    assert 1 <= before <= 3
    assert (folder / "summary.json").exists() == (number == signal.SIGINT)
    if number == signal.SIGINT:
        assert said.endswith(f"  go on: recipekit run --resume {folder.name}\n")
    edited = HELD.replace("min: 20", "min: 99").replace("tiny", "other")
    held.write({"recipes/tiny.yaml": edited, "recipes/more.yaml": RECIPE, "pyproject.toml": "[tool.recipekit]\n"})
    done = held.run("--resume", folder.name)
    assert done.code == 0, done.err
    assert f"children that had ended before: {before} of 4" in done.out
    assert done.out.count(" accepted in ") == 4 - before
    assert rows(held.root) == whole
    assert not (folder / ".lock").exists()
    again = resume(held)
    assert (again.code, again.out.count(" accepted in ")) == (0, 0), "nothing runs of a finished sweep"
    assert rows(held.root) == whole
    held.codes.append(code)


def test_an_output_that_is_gone_is_built_again_with_the_same_key(held: Standing) -> None:
    assert held.run(*HOLDING).code == 0
    before = rows(held.root)
    shutil.rmtree(the_sweep(held.root) / before[2]["output"])
    done = resume(held)
    assert done.code == 0, done.err
    assert "children that had ended before: 3 of 4" in done.out
    assert done.out.count("[2] ") == 1
    assert rows(held.root) == before
    assert (the_sweep(held.root) / before[2]["output"] / "manifest.json").is_file()


def test_a_child_that_failed_runs_again_and_the_worst_child_decides(held: Standing) -> None:
    held.write(
        {"slow.py": SLOW.replace("    while", "    if mode == 'hold':\n        raise ValueError('no data')\n    while")}
    )
    first = held.run(*HOLDING)
    assert first.code == 5
    assert resume(held).code == 5
    held.write({"slow.py": SLOW})
    done = resume(held)
    assert done.code == 0, done.err
    assert "children that had ended before: 3 of 4" in done.out
    assert [row["verdict"] for row in rows(held.root)] == ["accepted"] * 4
    assert done.out.count("not all built of the same: changed since it began: slow.py") == 1
    held.codes.append(5)


def test_children_keep_what_the_sweep_began_with_whatever_is_edited_meanwhile(
    held: Standing, whole: list[dict[str, Any]]
) -> None:
    (held.root / "hold").touch()
    with started(held.root, *HOLDING) as process:
        wait_until(lambda: list(held.root.glob("outputs/sweeps/*/sweep.json")), process)
        held.write({"recipes/tiny.yaml": HELD.replace("min: 20", "min: 99")})
        (held.root / "hold").unlink()
        out, err = process.communicate(timeout=120)
    assert process.returncode == 0, out + err
    assert rows(held.root) == whole


def test_of_two_that_resume_at_once_the_second_is_told_who_does(held: Standing) -> None:
    code, _ = stopped(held.root, signal.SIGKILL)
    (held.root / "hold").touch()
    lock = the_sweep(held.root) / ".lock"
    with started(held.root, "--resume", "latest") as process:
        wait_until(lambda: f"process {process.pid} " in lock.read_text(), process)
        refused = resume(held)
        (held.root / "hold").unlink()
        process.communicate(timeout=120)
    assert process.returncode == 0
    assert refused.code == 7
    assert f"process {process.pid} on " in refused.err
    assert "is still running this sweep" in refused.err
    assert len(rows(held.root)) == 4
    held.codes += [code, refused.code]


def test_the_lock_of_a_killed_driver_is_free(held: Standing) -> None:
    stopped(held.root, signal.SIGKILL)
    lock = the_sweep(held.root) / ".lock"
    descriptor = locks.try_acquire(lock)
    assert descriptor is not None
    os.close(descriptor)


def test_a_report_of_an_unfinished_sweep_shows_the_children_that_have_ended(held: Standing) -> None:
    stopped(held.root, signal.SIGKILL)
    folder, before = the_sweep(held.root), ended(held.root)
    done = command(held.root, ["report", "latest"])
    assert (done.code, done.out) == (0, f"outputs/sweeps/{folder.name}/so-far.html\n")
    page = (folder / "so-far.html").read_text()
    assert f"of which {before} children have ended" in page
    verified = command(held.root, ["verify", "latest"])
    assert verified.code == 2
    assert f"fix: finish it with recipekit run --resume {folder.name}" in verified.err
    assert resume(held).code == 0
    assert not (folder / "so-far.html").exists()
    assert command(held.root, ["verify", "latest"]).code == 0


def test_a_sweep_that_is_killed_at_any_change_on_the_disk_is_resumed(standing: Standing, tmp_path: Path) -> None:
    base = tmp_path / "attempts"
    arguments = ["run", "-m", "recipe=tiny", OLDER, "seed=0"]
    program = [sys.executable, "-m", "tests.faults.whole_runs", "resume", str(standing.root), str(base), *arguments]
    subprocess.run(program, check=True, cwd=ROOT, capture_output=True, text=True)
    attempts = msgspec.json.decode((base / "attempts.json").read_bytes(), type=list[Attempt])
    assert len(attempts) > 15
    assert {attempt.code for attempt in attempts[:-1]} == {-signal.SIGKILL}
    expected = rows(base / str(len(attempts)))
    resumed = 0
    for number, attempt in enumerate(attempts, start=1):
        then = base / f"{number}.then"
        begun = (then / "outputs" / "sweeps").is_dir() and list(then.glob("outputs/sweeps/*/sweep.json"))
        if begun:
            assert attempt.then == 0, f"{number}: {attempt.said}"
            assert rows(then) == expected
            resumed += 1
        else:
            assert attempt.then == 2, "it had not begun, and the same command begins it"
    assert resumed > 8
    standing.codes.append(-signal.SIGKILL)


def test_a_launcher_of_hydra_s_own_kind_leaves_finished_children_alone(standing: Standing) -> None:
    assert standing.run("-m", "recipe=tiny", OLDER, "seed=0,1", "hydra/launcher=joblib").code == 0
    before = rows(standing.root)
    (the_sweep(standing.root) / "1" / "outcome.json").unlink()
    done = resume(standing)
    assert done.code == 0, done.err
    assert "children that had ended before: 1" in done.out
    assert "(already built)" in done.out, "its output was published before its driver could say so"
    assert done.out.count(" accepted in ") == 1
    assert rows(standing.root) == before
    other = resume(standing, "hydra/launcher=basic")
    assert (other.code, other.out.count(" accepted in ")) == (0, 0)
    assert rows(standing.root) == before
