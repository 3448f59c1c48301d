"""What a child may take: each limit ends as one typed error that names it, its value and how it is raised."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from recipekit.contracts import MEASURE, SURVEY
from recipekit.errors import DatasetError, PluginError, RecipekitError, StageDied, StageMemory, StageProcesses
from recipekit.pool import Limits, Pool
from recipekit.project import Project
from tests.busyness import slowed
from tests.surveys import survey_of

MISBEHAVIOUR = """
import os, resource, subprocess, sys, time
from pathlib import Path
import numpy as np

SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]
EAT = [sys.executable, "-c", "import time; eaten = b'x' * 300 * 2**20; time.sleep(60)"]

def samples(do="nothing", marks=""):
    if do == "write":
        with Path(marks, "large").open("wb") as stream:
            for _ in range(64):
                stream.write(bytes(2**20))
    elif do == "fork":
        children = [subprocess.Popen(SLEEP) for _ in range(6)]
        Path(marks, "pids").write_text(" ".join(str(child.pid) for child in children))
        time.sleep(60)
    elif do == "eat":
        subprocess.Popen(EAT).wait()
    elif do == "orphan":
        child = subprocess.Popen(SLEEP)
        Path(marks, "pids").write_text(str(child.pid))
        os._exit(3)
    elif do == "allocate":
        np.ones(2**50, np.uint8)
    elif do == "core":
        return [np.array(resource.getrlimit(resource.RLIMIT_CORE), np.float32)] * 2
    return [np.zeros(2, np.float32)] * 2
"""

LIMITS = Limits(seconds=30, memory_mib=250, file_mib=8, processes=5)


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    with Pool(LIMITS) as pool:
        yield pool


@pytest.fixture
def ask(pool: Pool, tmp_path: Path) -> Callable[..., Any]:
    (tmp_path / "misbehaving.py").write_text(MISBEHAVIOUR)
    (tmp_path / "marks").mkdir()

    def ask(do: str, pool: Pool = pool) -> Any:
        request = survey_of(tmp_path, "misbehaving.py:samples", do=do, marks=str(tmp_path / "marks"))
        return pool.run(SURVEY, request, tmp_path / do).record

    return ask


def ended(pids: str) -> bool:
    """Whether processes have ended, soon."""
    deadline = time.monotonic() + 5 * slowed()
    while time.monotonic() < deadline:
        if all(has_ended(int(pid)) for pid in pids.split()):
            return True
        time.sleep(0.05)
    return False


def has_ended(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def refused(ask: Callable[..., Any], do: str, kind: type[RecipekitError]) -> RecipekitError:
    with pytest.raises(kind) as caught:
        ask(do)
    assert caught.value.exit_code == 5  # the stage reads a dataset
    assert ask("nothing").count == 2  # the next request meets a worker
    return caught.value


def test_a_file_may_grow_to_its_limit(ask: Callable[..., Any], tmp_path: Path) -> None:
    error = refused(ask, "write", RecipekitError)
    assert error.what == "a file grew beyond the 8 MiB allowed"
    assert "`file_limit_mib` in [tool.recipekit]" in error.fix
    assert (tmp_path / "marks" / "large").stat().st_size <= 8 * 2**20


@pytest.mark.slow
def test_processes_beyond_the_limit_end_the_stage_and_end_with_it(ask: Callable[..., Any], tmp_path: Path) -> None:
    error = refused(ask, "fork", StageProcesses)
    assert "started 6 processes, 5 are allowed" in error.what
    assert "`process_limit` in [tool.recipekit]" in error.fix
    assert ended((tmp_path / "marks" / "pids").read_text())


@pytest.mark.slow
def test_memory_of_processes_that_a_stage_starts_counts(ask: Callable[..., Any]) -> None:
    error = refused(ask, "eat", StageMemory)
    assert "of the 250 MiB allowed" in error.what
    assert "`memory_limit_mib` in [tool.recipekit]" in error.fix


def test_more_memory_than_there_is_can_be_asked_for(ask: Callable[..., Any]) -> None:
    with pytest.raises(RecipekitError, match="more memory was asked for than there is: Unable to allocate"):
        ask("allocate")
    assert ask("nothing").count == 2


def test_what_a_stage_started_ends_with_a_worker_that_dies(ask: Callable[..., Any], tmp_path: Path) -> None:
    error = refused(ask, "orphan", PluginError)
    assert "exited with status 3" in error.what
    assert ended((tmp_path / "marks" / "pids").read_text())


def test_a_crash_leaves_no_core_dump(ask: Callable[..., Any], tmp_path: Path) -> None:
    record = ask("core")
    zeros = ask("nothing")
    assert Path(record.path).read_bytes() == Path(zeros.path).read_bytes()  # both limits are 0


def test_a_limit_is_an_error_of_its_phase() -> None:
    assert (SURVEY.failure.exit_code, MEASURE.failure.exit_code) == (5, 4)
    assert StageDied("").exit_code == StageMemory("").exit_code == StageProcesses("").exit_code == 4
    assert DatasetError("").exit_code == 5


def test_a_project_sets_each_limit_and_has_generous_ones_else() -> None:
    root = Path(os.sep)
    project = Project(root=root, recipes=root, outputs=root)
    assert Limits.of(project) == Limits()
    assert Limits().processes >= 64
    assert Limits().file_mib == 64 * 1024
    small = Project(
        root=root, recipes=root, outputs=root, stage_timeout=1, memory_limit_mib=2, file_limit_mib=3, process_limit=4
    )
    assert Limits.of(small) == (1, 2, 3, 4, ())
