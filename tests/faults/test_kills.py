"""Row 39: SIGKILL before each change on the disk in the whole life of a run, and of a sweep."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from recipekit import manifest
from recipekit.outputs import differences
from tests.faults.standing import OLDER, Standing, forget, left_in_staging, picture
from tests.faults.whole_runs import Attempt

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]


def killed(standing: Standing, base: Path, *arguments: str) -> list[Attempt]:
    """Runs that were killed, the last one not; each left what stood and was followed by a good one."""
    command = [sys.executable, "-m", "tests.faults.whole_runs", "kill", str(standing.root), str(base), *arguments]
    subprocess.run(command, check=True, cwd=ROOT, capture_output=True, text=True)
    attempts = msgspec.json.decode((base / "attempts.json").read_bytes(), type=list[Attempt])
    before = {name: data for name, data in standing.before.items() if name != "tiny/latest"}
    for number, attempt in enumerate(attempts, start=1):
        seen = picture(base / str(number))
        assert {name: seen.get(name) for name in before} == before, "what was there is as it was"
        for output in (base / str(number)).glob("outputs/tiny/*/*"):
            if output.parent.name != "latest":
                assert differences(output, manifest.read(output)) == [], "what is visible is whole"
        assert (base / str(number) / "outputs" / "tiny" / "latest" / "manifest.json").is_file()

        assert attempt.then == 0, f"{number}: {attempt.said}"
        assert left_in_staging(base / f"{number}.then") == []
        standing.codes.append(attempt.code)
    assert {attempt.code for attempt in attempts[:-1]} == {-signal.SIGKILL}
    assert attempts[-1].code == 0
    standing.codes.remove(0)
    return attempts


@pytest.mark.fault(39)
def test_a_run_that_is_killed_at_any_step_leaves_all_or_nothing(standing: Standing, tmp_path: Path) -> None:
    forget(standing.root, "measure")
    base = tmp_path / "attempts"
    attempts = killed(standing, base, "run", "recipe=tiny")
    assert len(attempts) > 40
    visible = [bool(list((base / str(n)).glob("outputs/tiny/1.0.0/*"))) for n in range(1, len(attempts) + 1)]
    assert visible == sorted(visible), "absent for a while, then there for good"
    assert visible.count(False) > 30
    for number in range(1, len(attempts) + 1):
        latest = base / f"{number}.then" / "outputs" / "tiny" / "latest"
        assert latest.resolve().parent.name == "1.0.0"


@pytest.mark.fault(39)
def test_a_sweep_that_is_killed_at_any_step_is_finished_by_the_next(standing: Standing, tmp_path: Path) -> None:
    base = tmp_path / "attempts"
    attempts = killed(standing, base, "run", "-m", "recipe=tiny", OLDER, "seed=0")
    assert len(attempts) > 10
    for number in range(1, len(attempts) + 1):
        last = max(
            (base / f"{number}.then" / "outputs" / "sweeps").glob("*/summary.html"), key=lambda it: it.stat().st_mtime
        )
        (row,) = json.loads(last.with_name("summary.json").read_text())
        assert (row["number"], row["verdict"]) == (0, "accepted")
