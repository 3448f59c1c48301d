"""A sweep whose children convert nothing: everything that the driver does is real, and a child ends as it begins.

python -m tests.synthetic_sweep FOLDER CHILDREN [STOPPED]    runs it as `recipekit run -m` there, and prints its exit
                                                             code, the peak of its resident memory in bytes, and its
                                                             processor time; some time after the child STOPPED has
                                                             begun it is interrupted as by Ctrl-C, and prints the
                                                             processor time since then, too
"""

from __future__ import annotations

import json
import os
import random
import re
import resource
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Timer
from types import TracebackType

import recipekit.sweeping
from recipekit.acceptance import Check
from recipekit.build import Job
from recipekit.cli import main
from recipekit.launching import ChildWatcher, Task
from recipekit.outcome import Outcome, StageReport
from recipekit.project import Project
from tests.recipe_projects import RECIPE, write_project
from tests.test_outcome import MEASUREMENT


class Nowhere:
    """A launcher: children are accepted or rejected by turns, one after the other.

    Attributes:
        stopped: the child after which the process is interrupted; None for none.
        spent: processor time when that was.
    """

    stopped: int | None = None
    spent: float = 0.0

    def __init__(self, _project: Project, _watch: Callable[[int], ChildWatcher]) -> None:
        pass

    def __enter__(self) -> Nowhere:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        pass

    def limit(self, under_way: int) -> None:
        """One is under way at a time."""

    def prepare(self, job: Job) -> None:
        """Nothing has to start."""

    def launch(self, tasks: Iterator[Task], ended: Callable[[Outcome], None]) -> None:
        """Ends each child as soon as it is there."""
        for task in tasks:
            if task.number == self.stopped:
                Timer(random.uniform(0, 0.02), self._stop).start()
            ended(self.outcome(task))

    def _stop(self) -> None:
        Nowhere.spent = time.process_time()
        os.kill(os.getpid(), signal.SIGINT)

    @staticmethod
    def outcome(task: Task) -> Outcome:
        """An outcome of some kilobytes, as a real one."""
        checks = [Check(name=f"check.{at}.max", limit=10, value=9.5, margin=0.5, verdict="pass") for at in range(12)]
        return Outcome(
            recipe=task.job.option,
            overrides=task.job.overrides,
            number=task.number,
            status="rejected" if task.number % 7 == 0 else "accepted",
            seconds=0.01,
            name=task.job.recipe.name,
            version=task.job.recipe.version,
            build_key=f"{task.number:064x}",
            output=str(task.job.project.outputs / "digits" / "1.0.0" / f"{task.number:012x}"),
            checks=tuple(checks),
            measurement=MEASUREMENT,
            stages=tuple(StageReport(name=f"stage-{at}", seconds=1.0, found=True) for at in range(12)),
        )


def peak_bytes() -> int:
    """The most memory that this process has had; Linux's `ru_maxrss` also counts what its parent had at the fork."""
    if sys.platform == "darwin":
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    (peak,) = re.findall(r"^VmHWM:\s+(\d+) kB$", Path("/proc/self/status").read_text(), re.MULTILINE)
    return int(peak) * 1024


def run(folder: Path, children: int, stopped: int | None = None) -> dict[str, float]:
    """Runs a sweep in a folder, which becomes a project."""
    Nowhere.stopped = stopped
    write_project(folder, {"digits.yaml": RECIPE, "letters.yaml": RECIPE})
    os.chdir(folder)
    vars(recipekit.sweeping)["Here"] = Nowhere
    before = time.process_time()
    code = main(["run", "-m", "recipe=digits", f"seed=range({children})"])
    after = time.process_time()
    return {"exit_code": code, "peak": peak_bytes(), "seconds": after - before, "parting": after - Nowhere.spent}


if __name__ == "__main__":
    result = run(Path(sys.argv[1]), *map(int, sys.argv[2:]))
    sys.stderr.write(json.dumps(result) + "\n")
    sys.exit(int(result["exit_code"]))
