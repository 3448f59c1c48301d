"""A job of submitit: which children it runs, and why some of them have no outcome.

What then becomes of them is decided by the launcher.
"""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from recipekit.errors import ChildLost, EnvironmentFault, InternalError, RecipekitError
from recipekit.launching.slurm import UNEXPLAINED, meaning
from recipekit.launching.task import Task

if TYPE_CHECKING:
    import submitit

_TIMED_OUT = "not requeued because: timed-out"


class Job(NamedTuple):
    """A job that was submitted.

    Attributes:
        handle: submitit's.
        tasks: the children that it carries out one after the other.
        submitted: when, by the monotonic clock.
        on_slurm: whether SLURM has it; else it is a process of this machine.
    """

    handle: submitit.Job[None]
    tasks: tuple[Task, ...]
    submitted: float
    on_slurm: bool

    @property
    def id(self) -> str:
        """Its id; `ID_INDEX` in an array."""
        return str(self.handle.job_id)

    @property
    def has_answered(self) -> bool:
        """Whether it has left a result, which may be an exception."""
        return bool(self.handle.paths.result_pickle.exists())

    def end(self) -> End:
        """How the job has ended; to be asked when children of it have no outcome."""
        state = (self.handle.get_info(mode="force").get("State") or "").partition(" ")[0] if self.on_slurm else ""
        return End(self, state, self._trace())

    def forget(self, *, keep_logs: bool) -> None:
        """Removes its files, its logs only where they say nothing worth keeping."""
        paths = self.handle.paths
        for path in (paths.submitted_pickle, paths.result_pickle, *(() if keep_logs else (paths.stdout, paths.stderr))):
            path.unlink(missing_ok=True)

    def log(self) -> str:
        """The file with its last words; empty where it hasn't said any."""
        paths = [path for path in (self.handle.paths.stderr, self.handle.paths.stdout) if path.exists()]
        return next((str(path) for path in paths if path.stat().st_size), "")

    def last_line(self) -> str:
        """The end of what it has said as an error."""
        path: Path = self.handle.paths.stderr
        lines = path.read_text(errors="replace").splitlines() if path.exists() else []
        return lines[-1].strip() if lines else ""

    def _trace(self) -> str:
        if not self.has_answered:
            return ""
        outcome, result = pickle.loads(self.handle.paths.result_pickle.read_bytes())  # noqa: S301  our own job's
        return str(result).strip() if outcome == "error" else ""


class End(NamedTuple):
    """How a job has ended that has left children without an outcome.

    Attributes:
        job: which one.
        state: SLURM's word for it, as `sacct` knows it; empty where it doesn't, and without SLURM.
        trace: the traceback of the exception that has ended it; empty where none has.
    """

    job: Job
    state: str
    trace: str

    @property
    def timed_out(self) -> bool:
        """Whether it took longer than it may."""
        return self.state == "TIMEOUT" or _TIMED_OUT in self.trace

    @property
    def cancelled(self) -> bool:
        """Whether somebody has cancelled it."""
        return self.state == "CANCELLED"

    def error(self, minutes: int) -> RecipekitError:
        """What is said of a child that it has lost.

        Args:
            minutes: that the job may take.
        """
        where, log = f"job {self.job.id}", self.job.log()
        if self.timed_out:
            said = f"; SLURM says {self.state}" if self.state == "TIMEOUT" else ""
            fix = "raise hydra.launcher.timeout_min"
            return ChildLost(f"timed out after {minutes} min{said}", where=where, fix=fix, log=log)
        if self.trace:
            what = self.trace.splitlines()[-1]
            if what.startswith(("ModuleNotFoundError", "ImportError")):
                fix = "install it where jobs run, or make it known there with hydra.launcher.slurm_setup"
                return EnvironmentFault(f"a job can't import what it needs: {what}", where=where, fix=fix, log=log)
            return InternalError(what, where=where, fix="report it, with the log", log=log)
        if not log and self.job.on_slurm:
            folder, state = self.job.handle.paths.folder, self.state or "nothing of it"
            fix = "keep the project and its outputs on a file system that every node mounts at the same place"
            return ChildLost(f"its job left no log in {folder}; SLURM says {state}", where=where, fix=fix)
        what, fix = meaning(self.state) if self.job.on_slurm else UNEXPLAINED
        last = self.job.last_line()
        return ChildLost(f"{what}{f': {last}' if last else ''}", where=where, fix=fix, log=log)
