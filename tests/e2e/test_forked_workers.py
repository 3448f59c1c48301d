"""A worker that a command forks does what one that it starts does, and is its child as that one is."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import psutil
import pytest

from tests.commands import begun, command
from tests.faults.signalled import all_ended, family, in_stage, living, wait_until

pytestmark = [pytest.mark.tensorflow, pytest.mark.slow]


def built(project: Path, *, tensorflow: bool) -> tuple[str, bytes]:
    """The build key of a run, and the bytes of its model."""
    done = command(project, ["run", "recipe=tiny", "--format", "json"], tensorflow=tensorflow)
    assert done.code == 0, done.err
    told = json.loads(done.out)
    return told["build_key"], (project / told["output"] / "model.tflite").read_bytes()


def test_its_build_has_the_key_and_the_bytes_of_a_started_one_s(tiny: Path, tmp_path: Path) -> None:
    other = Path(shutil.copytree(tiny, tmp_path / "other"))
    assert built(tiny, tensorflow=True) == built(other, tensorflow=False)


@pytest.mark.parametrize("variables", [{}, {"KERAS_HOME": "elsewhere"}], ids=["forked", "started"])
def test_it_is_a_child_in_a_session_of_its_own_and_ends_with_the_command(tiny: Path, variables: dict[str, str]) -> None:
    arguments = ["run", "recipe=tiny", "representative_dataset.count=20000"]
    with begun(tiny, arguments, {**os.environ, **variables}, tensorflow=True) as process:
        wait_until(in_stage(tiny, "calibrate"), process)
        children = family(process)
        (worker,) = [child for child in children if shows_tensorflow(child)]
        assert worker.ppid() == process.pid
        assert os.getsid(worker.pid) == worker.pid
        assert ("--serve" in worker.cmdline()) == bool(variables)
        process.send_signal(15)
        all_ended(process, children)
    assert process.returncode == 143
    assert living(children) == []


def shows_tensorflow(child: psutil.Process) -> bool:
    """Whether a process in a session of its own has mapped TensorFlow."""
    own = os.getsid(child.pid) == child.pid
    return own and any("libtensorflow" in found.path for found in child.memory_maps())
