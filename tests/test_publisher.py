"""Publishing by a second process: the same outputs, and none lost when that process is."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone
from functools import partial
from pathlib import Path

import psutil
import pytest

from recipekit import manifest
from recipekit.compose.written import Written
from recipekit.errors import OutputFault
from recipekit.outputs.checking import differences
from recipekit.publisher import Publisher, _packed, _unpacked
from tests.faults.signalled import has_ended
from tests.whole_outputs import finished_build, folder_of

_MODULE = "recipekit.publisher"
_STARTED = datetime(2026, 1, 2, tzinfo=timezone.utc)


def publishers(pid: int) -> list[psutil.Process]:
    """Processes that publish for another one."""
    return [child for child in psutil.Process(pid).children() if _MODULE in child.cmdline()]


def wait_until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.01)


def is_whole(folder: Path) -> bool:
    return not differences(folder, manifest.read(folder))


def test_few_outputs_are_published_without_another_process(tmp_path: Path) -> None:
    with Publisher(here=3) as publisher:
        for seed in range(3):
            build = finished_build(tmp_path, seed)
            publisher.publish(build, replace=False)
            assert is_whole(folder_of(build))
        assert not publishers(os.getpid())


@pytest.mark.slow
def test_many_outputs_of_several_threads_are_whole_and_the_process_ends_with_the_publisher(tmp_path: Path) -> None:
    builds = [finished_build(tmp_path, seed) for seed in range(12)]
    with Publisher(here=2) as publisher, ThreadPoolExecutor(6) as threads:
        list(threads.map(partial(publisher.publish, replace=False), builds))
        (process,) = publishers(os.getpid())
        assert all(is_whole(folder_of(build)) for build in builds)
    assert not process.is_running()
    assert not list((tmp_path / "outputs" / ".staging").glob("*/new"))


@pytest.mark.slow
def test_while_many_outputs_wait_for_the_process_the_next_is_published_here(tmp_path: Path) -> None:
    first, *many, last = [finished_build(tmp_path, seed) for seed in range(14)]
    with Publisher(here=0) as publisher, ThreadPoolExecutor(len(many)) as threads:
        publisher.publish(first, replace=False)
        (process,) = publishers(os.getpid())
        process.suspend()
        waiting = [threads.submit(publisher.publish, build, replace=False) for build in many]
        wait_until(lambda: publisher._process is not None and publisher._process.is_behind)
        publisher.publish(last, replace=False)
        assert is_whole(folder_of(last))
        assert not any(folder_of(build).exists() for build in many)
        process.resume()
        for each in waiting:
            each.result()
    assert all(is_whole(folder_of(build)) for build in many)


@pytest.mark.slow
def test_another_process_writes_the_same_bytes(tmp_path: Path) -> None:
    def written(here: int) -> dict[str, bytes]:
        build = finished_build(tmp_path)
        with Publisher(here=here) as publisher:
            publisher.publish(build._replace(started=_STARTED), replace=True)
        names = ("model.tflite", "results.json", "recipe.yaml", "report.html")
        return {name: (folder_of(build) / name).read_bytes() for name in names}

    assert written(here=1) == written(here=0)


def test_a_build_travels_with_what_is_told_of_its_recipe_and_without_who_tells_it(tmp_path: Path) -> None:
    told = (Written(("seed",), 7, "command line: seed=7"), Written(("evaluation", "metrics"), {}, "default"))
    build = finished_build(tmp_path)
    build = build._replace(job=build.job._replace(origins=lambda: told))  # which could not be pickled
    out, replace = _unpacked(pickle.loads(pickle.dumps(_packed(build, True))))
    assert out.job.origins() == told
    assert out._replace(job=build.job) == build
    assert out.job._replace(origins=build.job.origins) == build.job
    assert replace


@pytest.mark.slow
def test_what_another_process_refuses_is_said_as_if_this_one_did(tmp_path: Path) -> None:
    build = finished_build(tmp_path)
    with Publisher(here=0) as publisher:
        publisher.publish(build, replace=False)
        with pytest.raises(OutputFault, match="never replaced unasked") as refused:
            publisher.publish(build, replace=False)
        assert refused.value.where == str(folder_of(build))
        assert refused.value.fix
        publisher.publish(build, replace=True)
        assert publishers(os.getpid())
    assert is_whole(folder_of(build))


@pytest.mark.slow
def test_a_killed_process_loses_no_output(tmp_path: Path) -> None:
    builds = [finished_build(tmp_path, seed) for seed in range(30)]
    with Publisher(here=0) as publisher, ThreadPoolExecutor(4) as threads:
        published = [threads.submit(publisher.publish, build, replace=False) for build in builds]
        wait_until(published[4].done)
        publishers(os.getpid())[0].send_signal(signal.SIGKILL)
        for each in published:
            each.result()
    assert all(is_whole(folder_of(build)) for build in builds)


@pytest.mark.slow
def test_the_process_ends_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    script = (
        "import time, sys\nfrom pathlib import Path\nfrom recipekit.publisher import Publisher\n"
        "from tests.whole_outputs import finished_build\n"
        "Publisher(here=0).publish(finished_build(Path(sys.argv[1])), replace=False)\n"
        "print(flush=True)\ntime.sleep(600)"
    )
    with subprocess.Popen([sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        parent.stdout.readline()
        (process,) = publishers(parent.pid)
        parent.kill()
    wait_until(lambda: has_ended(process))
