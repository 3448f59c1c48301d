"""Rows 40, 43 and 44: interruptions in each phase, two runs of one build, and holders of locks that die."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from recipekit.errors import OutputFault
from recipekit.store import Store
from tests.built_models import built_once
from tests.busyness import slowed
from tests.commands import Done
from tests.faults.signalled import all_ended, family, in_stage, living, started, stopped, wait_until
from tests.faults.standing import RECIPE, Standing, left_in_staging, picture
from tests.forked_workers import HELD_STAGE

pytestmark = pytest.mark.slow

SLOW = """
import time
import numpy as np

def samples(wait=""):
    points = np.random.default_rng(3).normal(size=(24, 64)).astype(np.float32)
    if wait == "survey":
        time.sleep(30)
    return Slow(points) if wait else list(points)

class Slow(list):
    def __getitem__(self, index):
        time.sleep(0.05)
        return super().__getitem__(index)
"""

PYTHON = RECIPE.replace("plugin: npz, path: data/samples.npz", "plugin: python, factory: 'slow.py:samples'")
WORDS = {signal.SIGINT: (130, "interrupted: "), signal.SIGTERM: (143, "terminated: ")}

LONG_BENCHMARK = "evaluation.benchmark={runs: 1000000, warmup: 1, threads: 1}"

sent_signals = pytest.mark.parametrize("number", WORDS, ids=["INT", "TERM"])


def interrupted(
    project: Path,
    reached: Callable[[], object],
    number: int,
    *arguments: str,
    before: dict[str, bytes],
    tensorflow: bool = False,
    held: str = "",
) -> Done:
    """Sends a signal once something is reached, and asserts that nothing is left but a message.

    Args:
        project: its folder.
        reached: whether it is.
        number: of the signal.
        arguments: of the command.
        before: the files that must be there afterwards.
        tensorflow: as in `started`.
        held: a stage too short to be caught, which stands still at its beginning until now.
    """
    with started(project, *arguments, variables={HELD_STAGE: held}, tensorflow=tensorflow) as process:
        wait_until(lambda: reached() and (not held or stopped(process)), process)
        children = family(process)
        for worker in stopped(process):
            worker.resume()
        asked = time.monotonic()
        process.send_signal(number)
        out, err = all_ended(process, children)
        took = time.monotonic() - asked
    code, word = WORDS[signal.Signals(number)]
    assert process.returncode == code, out + err
    assert word in err
    assert "Traceback" not in err
    assert took < 10 * slowed()
    assert living(children) == []
    assert left_in_staging(project) == []
    assert not [path for path in (project / "outputs" / ".work").glob("*/*") if path.is_dir()]
    visible = {name: data for name, data in picture(project).items() if not name.startswith("sweeps/")}
    assert visible == before
    return Done(code, out, err, took, 0)


@sent_signals
@pytest.mark.parametrize("phase", ["compose", "survey-evaluation", "reference", "benchmark"])
@pytest.mark.fault(40)
def test_a_signal_in_a_phase_ends_everything(standing: Standing, number: int, phase: str) -> None:
    standing.write({"slow.py": SLOW, "recipes/tiny.yaml": PYTHON})
    wait = "survey" if phase == "survey-evaluation" else "read"
    arguments = ["recipe=tiny", f"evaluation.dataset.kwargs.wait={wait}", "seed=4"]
    if phase == "benchmark":
        arguments = ["recipe=tiny", LONG_BENCHMARK]
    stage = in_stage(standing.root, phase)
    reached = (lambda: True) if phase == "compose" else stage
    done = interrupted(standing.root, reached, number, *arguments, before=standing.before)
    assert "published nothing" in done.err
    standing.codes.append(done.code)
    if number == signal.SIGINT and phase == "benchmark":
        standing.recovers()


@sent_signals
@pytest.mark.fault(40)
def test_a_signal_while_an_output_is_staged_takes_the_staging_along(standing: Standing, number: int) -> None:
    fifo = standing.root / "models" / "m.tflite"
    staged = standing.root / "outputs" / ".staging"

    def reached() -> bool:
        return any(path.is_dir() for path in staged.iterdir()) if staged.is_dir() else False

    assert fifo.is_file()
    with started(standing.root, "recipe=tiny", "seed=4") as process:
        wait_until(reached, process)
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
    code = WORDS[signal.Signals(number)][0]
    assert process.returncode in {code, 0}, out + err  # it may just have become visible
    assert left_in_staging(standing.root) == []
    assert {name: data for name, data in picture(standing.root).items() if name in standing.before}.keys() == (
        standing.before.keys()
    )
    if process.returncode == code:
        standing.codes.append(code)
    standing.recovers()


@sent_signals
@pytest.mark.fault(40)
def test_a_signal_in_a_sweep_keeps_what_has_ended_and_says_so(standing: Standing, number: int) -> None:
    standing.write({"slow.py": SLOW, "recipes/tiny.yaml": PYTHON})
    arguments = ["-m", "recipe=tiny", "version='0.9.0'", "evaluation.dataset.kwargs.wait='',read", "seed=range(0,9)"]

    def reached() -> bool:
        return bool(list(standing.root.glob("outputs/sweeps/*/*/outcome.json")))

    with started(standing.root, *arguments) as process:
        wait_until(reached, process)
        children = family(process)
        process.send_signal(number)
        out, err = all_ended(process, children)
    code, word = WORDS[signal.Signals(number)]
    assert process.returncode == code, out + err
    assert word in err
    assert living(children) == []
    assert left_in_staging(standing.root) == []
    (summary,) = standing.root.glob("outputs/sweeps/*/summary.json")
    rows = json.loads(summary.read_text())
    assert 1 <= len(rows) < 18
    assert all(row["verdict"] == "accepted" for row in rows)
    standing.codes.append(code)


@pytest.mark.fault(40)
def test_a_second_signal_ends_at_once(standing: Standing) -> None:
    standing.write({"slow.py": SLOW, "recipes/tiny.yaml": PYTHON})
    with started(standing.root, "recipe=tiny", "evaluation.dataset.kwargs.wait=survey") as process:
        wait_until(in_stage(standing.root, "survey-evaluation"), process)
        children = family(process)
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGINT)
        out, err = all_ended(process, children)
    assert process.returncode in {130, -signal.SIGINT}, out + err
    assert living(children) == []
    standing.codes.append(130)
    standing.recovers()


@pytest.mark.tensorflow
@pytest.mark.parametrize(
    ("number", "phase"),
    [
        *((signal.SIGINT, phase) for phase in ("load", "calibrate", "quantize")),
        *((signal.SIGTERM, phase) for phase in ("load", "lower", "benchmark")),
    ],
)
@pytest.mark.fault(40)
def test_a_signal_while_tensorflow_works_ends_everything(
    tmp_path_factory: pytest.TempPathFactory,
    tmp_path: Path,
    number: int,
    phase: str,
    record_property: Callable[[str, object], None],
) -> None:
    project = Path(shutil.copytree(built_once("tiny_classifier", tmp_path_factory), tmp_path / "tiny"))
    long = {"calibrate": ["representative_dataset.count=20000"], "benchmark": [LONG_BENCHMARK]}.get(phase, [])
    held, reached = "" if long else phase, in_stage(project, phase)
    done = interrupted(project, reached, number, "recipe=tiny", *long, before={}, tensorflow=True, held=held)
    assert "published nothing" in done.err
    record_property("exit", done.code)


@pytest.mark.fault(43)
def test_of_two_runs_of_one_build_the_second_waits_and_finds_the_output(standing: Standing) -> None:
    standing.write({"slow.py": SLOW, "recipes/tiny.yaml": PYTHON})
    arguments = ["recipe=tiny", "evaluation.dataset.kwargs.wait=read", "--format", "json"]
    with started(standing.root, *arguments) as first:
        wait_until(in_stage(standing.root, "reference"), first)
        with started(standing.root, *arguments) as second:
            results = [process.communicate(timeout=120) for process in (first, second)]
    assert [first.returncode, second.returncode] == [0, 0], results
    told = [json.loads(out) for out, _ in results]
    assert sorted(result["already_built"] for result in told) == [False, True]
    assert told[0]["output"] == told[1]["output"]
    assert f"process {first.pid} on " in results[1][1]
    assert len(list(standing.root.glob("outputs/tiny/1.0.0/*"))) == 1
    standing.codes.append(0)


@pytest.mark.fault(44)
def test_the_lock_of_a_killed_run_is_free(standing: Standing) -> None:
    standing.write({"slow.py": SLOW, "recipes/tiny.yaml": PYTHON})
    arguments = ["recipe=tiny", "evaluation.dataset.kwargs.wait=read"]
    with started(standing.root, *arguments) as holder:
        wait_until(in_stage(standing.root, "reference"), holder)
        children = family(holder)
        holder.kill()
        holder.communicate()
    assert picture(standing.root) == standing.before
    _, alive = psutil.wait_procs(children, timeout=20)
    assert alive == []
    done = standing.run(*arguments)
    assert done.code == 0, done.err
    assert "waiting for it" not in done.out + done.err
    assert left_in_staging(standing.root) == []
    standing.codes.append(done.code)


@pytest.mark.fault(44)
def test_a_file_system_that_can_not_lock_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, record_property: Callable[[str, object], None]
) -> None:
    def refuse(descriptor: int, operation: int) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", refuse)
    with (
        pytest.raises(OutputFault, match="the file system can't lock files: No locks available") as caught,
        Store(tmp_path / "store").lease() as lease,
        lease.hold("0" * 64, print),
    ):
        pass
    assert "NFS 4" in caught.value.fix
    record_property("exit", caught.value.exit_code)
