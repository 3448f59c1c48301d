"""Children as jobs of submitit: on a SLURM cluster, or as processes of this machine.

submitit writes the batch scripts, starts the jobs, and says how they have ended. Which children a job carries out, and
what becomes of them when it ends early, is decided here. No child is begun twice, unless SLURM queues its job again, or
it timed out where others had taken a part of its job's time.
"""

from __future__ import annotations

import logging
import math
import os
import secrets
import shutil
import signal
import socket
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import islice
from types import TracebackType
from typing import Any

import psutil

from recipekit import fsio
from recipekit.errors import EnvironmentFault, UsageError
from recipekit.launching.jobs import End, Job
from recipekit.launching.slurm import Queue
from recipekit.launching.task import Task
from recipekit.launching.traces import Traces
from recipekit.outcome import Outcome
from recipekit.project import Project

try:
    import submitit
except ModuleNotFoundError as error:
    raise EnvironmentFault(
        "hydra/launcher=recipekit_submitit needs the package submitit",
        where="hydra/launcher",
        fix="pip install 'recipekit[submitit]'",
    ) from error

_WHERE = "hydra.launcher"
_CLUSTERS = (None, "slurm", "local")
_ONE_PLACE = {"nodes", "tasks_per_node"}
_PAUSE = {"slurm": 1.0, "local": 0.1}
_FAREWELL_SECONDS = 10.0

_REFUSAL_SECONDS, _PATIENCE_SECONDS = 10.0, 300.0
"""Between two tries when SLURM takes no more jobs, and how long it may take none beside none."""


class Submitit:
    """Runs children as jobs; see `presets/hydra/launcher/recipekit_submitit.yaml` for the settings."""

    def __init__(
        self,
        project: Project,
        *,
        cluster: str | None = None,
        children_per_job: int = 1,
        local_parallelism: int | None = None,
        name: str = "recipekit",
        timeout_min: int = 60,
        **parameters: Any,
    ) -> None:
        """Starts nothing yet.

        Args:
            project: of the children.
            cluster: `slurm` or `local`; None for SLURM where it is, else local.
            children_per_job: how many children a job carries out, one after the other.
            local_parallelism: jobs at once where there is no SLURM; None for one for each processor.
            name: of the jobs; a suffix follows.
            timeout_min: minutes that a job may take.
            parameters: more of `submitit.AutoExecutor.update_parameters`.

        Raises:
            UsageError: a setting doesn't fit.
        """
        if cluster not in _CLUSTERS:
            raise UsageError(f"there is no cluster '{cluster}'", where=_WHERE, fix="use slurm, local or null")
        counts = {"children_per_job": children_per_job, "timeout_min": timeout_min}
        counts |= {} if local_parallelism is None else {"local_parallelism": local_parallelism}
        for key, count in counts.items():
            if not isinstance(count, int) or count < 1:
                raise UsageError(f"{key} must be 1, 2, 3 ..., got {count!r}", where=_WHERE)
        if several := sorted(_ONE_PLACE & parameters.keys()):
            raise UsageError(f"a child is one task on one node, so there is no '{several[0]}'", where=_WHERE)
        suffix = secrets.token_hex(4)
        self._children_per_job, self._minutes = children_per_job, timeout_min
        self._parameters = {"name": f"{name}-{suffix}", "timeout_min": timeout_min, **parameters}
        self._folder = project.outputs / ".submitit" / suffix
        self._traces = Traces(self._folder / "children")
        self._cluster = cluster
        self._local_parallelism = local_parallelism or os.cpu_count() or 1
        self._again: deque[Task] = deque()
        self._under_way: list[Job] = []
        self._awaited: dict[int, Task] = {}
        self._with_named_logs: set[str] = set()
        self._accepted = self._refused = -math.inf

    def __enter__(self) -> Submitit:
        """Makes the jobs' folder.

        Raises:
            UsageError: submitit doesn't take a parameter.
            EnvironmentFault: SLURM is asked for and isn't here.
            OutputFault: the file system refused.
        """
        with fsio.reported(self._folder):
            fsio.make_folders(self._traces.folder)
        logging.getLogger("submitit").setLevel(logging.ERROR)  # it warns of a cluster without accounts
        try:
            self._executor = submitit.AutoExecutor(self._folder, cluster=self._cluster)
            self._executor.update_parameters(**self._parameters)
        except RuntimeError as error:
            self._clear()
            raise EnvironmentFault(
                "there is no SLURM here: `srun` is not on the PATH",
                where=f"{_WHERE}.cluster=slurm",
                fix="run this on a login node, or use hydra.launcher.cluster=local",
            ) from error
        except (AssertionError, NameError, TypeError, ValueError) as error:
            self._clear()
            raise UsageError(f"submitit refuses a setting: {' '.join(str(error).split())}", where=_WHERE) from error
        self._cluster = self._executor.cluster
        on_slurm = self._cluster == "slurm"
        queued = self._parameters.get("slurm_array_parallelism") or 256
        self._parallelism = queued if on_slurm else self._local_parallelism
        self._fewest = max(1, self._parallelism // 4) if on_slurm else 1
        self._queue = Queue(self._parameters["name"]) if on_slurm else None
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._under_way and self._queue:
            self._queue.cancel()
        elif self._under_way:
            _end([job.handle for job in self._under_way])
        for job in self._under_way:
            job.forget(keep_logs=job.id in self._with_named_logs)
        self._clear()

    def launch(self, tasks: Iterator[Task], ended: Callable[[Outcome], None]) -> None:
        """Runs every task; see `Launcher`."""
        while self._submit(tasks) or self._under_way or self._again:
            time.sleep(_PAUSE[self._executor.cluster])
            gone = self._gone()
            for outcome in self._traces.arrivals(self._awaited):
                del self._awaited[outcome.number]
                ended(outcome)
            for job in gone:
                for outcome in self._settled(job):
                    del self._awaited[outcome.number]
                    ended(outcome)
                self._under_way.remove(job)  # an interruption may come at any time, and finds its files until here

    def _submit(self, tasks: Iterator[Task]) -> bool:
        """Submits as many jobs as may join those under way, as one array; whether there were any.

        Raises:
            EnvironmentFault: SLURM takes none, not even while no other one is there.
        """
        free = self._parallelism - len(self._under_way)
        if free < self._fewest and not self._again:
            return False
        if time.monotonic() < self._refused + _REFUSAL_SECONDS:
            return False
        room = free * self._children_per_job
        several = [self._again.popleft() for _ in range(min(room, len(self._again)))]
        several += islice(tasks, room - len(several))
        if not several:
            return False
        step = self._children_per_job
        batches = [tuple(several[start : start + step]) for start in range(0, len(several), step)]
        try:
            with _out_of_reach_of_the_keyboard():
                handles = self._executor.map_array(_carry_out, [self._traces] * len(batches), batches)
        except submitit.core.utils.FailedJobError as error:
            self._refused = time.monotonic()
            if not self._under_way and self._refused > self._accepted + _PATIENCE_SECONDS:
                raise EnvironmentFault(
                    f"SLURM takes no jobs: {' '.join(str(error).split())}",
                    where=_WHERE,
                    fix="set slurm_partition, slurm_account, slurm_qos or slurm_array_parallelism as the site wants",
                ) from error
            self._again.extendleft(reversed(several))
            return False
        self._accepted = now = time.monotonic()
        self._under_way += [Job(*pair, now, self._queue is not None) for pair in zip(handles, batches, strict=True)]
        self._awaited |= {task.number: task for task in several}
        if self._queue:
            self._queue.submitted()
        return True

    def _gone(self) -> list[Job]:
        """Jobs that have ended."""
        if self._queue is None:
            return [job for job in self._under_way if job.handle.done()]
        ended = [job for job in self._under_way if job.has_answered]
        gone = self._queue.gone([job.id for job in self._under_way])
        return ended + [job for job in self._under_way if job.id in gone and job not in ended]

    def _settled(self, job: Job) -> Iterator[Outcome]:
        """Outcomes of the children that a job has lost; those that it never began go into another one."""
        lost = [task for task in job.tasks if task.number in self._awaited]
        end = job.end() if lost else None
        spared = self._spared(job, end, lost) if end is not None else []
        if len(spared) < len(lost):
            self._with_named_logs.add(job.id)  # by a row of the summary
        for task in lost:
            self._traces.forget(task.number)
            if task in spared:
                del self._awaited[task.number]
            elif end is not None:
                yield task.failed(end.error(self._minutes), time.monotonic() - job.submitted)
        self._again.extend(spared)
        job.forget(keep_logs=job.id in self._with_named_logs)

    def _spared(self, job: Job, end: End, lost: list[Task]) -> list[Task]:
        """Children that a job owes another try: they haven't begun, or others had taken a part of its time."""
        if end.cancelled:
            return []
        if end.timed_out and len(lost) < len(job.tasks):
            return lost
        waiting = [task for task in lost if not self._traces.has_begun(task.number)]
        return waiting if len(waiting) < len(job.tasks) else []  # a job that begins none won't begin them elsewhere

    def _clear(self) -> None:
        """Leaves the logs of jobs that have lost children, and nothing else."""
        shutil.rmtree(self._traces.folder, ignore_errors=True)  # a job that is being cancelled may still write there
        for path in (*self._folder.glob("*.pkl"), *self._folder.glob("*.sh")):
            path.unlink(missing_ok=True)
        for folder in (self._folder, self._folder.parent):
            with suppress(OSError):  # it holds logs, or another sweep's jobs
                folder.rmdir()


def _carry_out(traces: Traces, tasks: tuple[Task, ...]) -> None:
    """What a job does."""
    for task in tasks:
        root = task.job.project.root
        if root.is_dir():
            traces.carry_out(task)
            continue
        fault = EnvironmentFault(
            f"the node {socket.gethostname()} has no project there",
            where=str(root),
            fix="keep the project on a file system that every node mounts at the same place",
        )
        traces.end(task.failed(fault, 0.0))


@contextmanager
def _out_of_reach_of_the_keyboard() -> Iterator[None]:
    """Ctrl-C in a terminal reaches every process of it; jobs that begin meanwhile are ended by their driver alone."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _end(handles: list[submitit.Job[None]]) -> None:
    """Ends local jobs with all that they have started; each one's watch then ends by itself."""
    deadline = time.monotonic() + _FAREWELL_SECONDS
    while not all(handle.done() for handle in handles) and time.monotonic() < deadline:
        for handle in handles:
            with suppress(psutil.Error):
                for process in psutil.Process(int(handle.job_id)).children(recursive=True):
                    with suppress(psutil.Error):
                        process.kill()
        time.sleep(0.05)
