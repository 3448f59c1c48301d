"""Which jobs SLURM still has, and what it means when one of them is gone without a result.

SLURM may queue a job again that was preempted or lost its node, and then it still has it: so what it has is asked of
`squeue`, and `sacct`, which not every cluster keeps, only gives the reason.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Collection

from recipekit.launching.task import RESUME_SWEEP

_RARELY, _OFTEN = 60.0, 2.0
"""Seconds between two looks: more and more of them while nothing new is submitted and nothing is missing."""

UNEXPLAINED = ("its process was killed, or ended without a result", RESUME_SWEEP)
"""What is said of a lost child, and the fix, where nobody gives a reason."""

_MEANINGS = {
    "NODE_FAIL": ("its node failed", RESUME_SWEEP),
    "OUT_OF_MEMORY": ("it needed more memory than its job has", "raise hydra.launcher.mem_gb"),
    "PREEMPTED": ("its job was preempted", f"{RESUME_SWEEP}, or choose a partition or QOS that queues such jobs again"),
    "CANCELLED": ("its job was cancelled", RESUME_SWEEP),
}


class Queue:
    """The queue of the jobs with one name."""

    def __init__(self, name: str) -> None:
        """Asks nothing yet.

        Args:
            name: of the jobs.
        """
        self._whose = (f"--user={os.getuid()}", f"--name={name}")
        self._submitted = self._looked = time.monotonic()
        self._missed: set[str] = set()

    def submitted(self) -> None:
        """Jobs were submitted just now: what is wrong with them shows soon."""
        self._submitted = time.monotonic()

    def gone(self, jobs: Collection[str]) -> set[str]:
        """Jobs that SLURM has no more: two looks in turn have missed them, so that their last words have arrived.

        Args:
            jobs: ids, of array elements as `ID_INDEX`.
        """
        now = time.monotonic()
        pause = _OFTEN if self._missed else min(_RARELY, max(_OFTEN, (now - self._submitted) / 2))
        if now - self._looked < pause:
            return set()
        self._looked = now
        asked = ["squeue", *self._whose, "--noheader", "--array", "--format=%i"]
        done = subprocess.run(asked, capture_output=True, text=True, check=False)
        if done.returncode:  # SLURM's controller is away for a moment; its jobs aren't
            return set()
        missing = set(jobs) - set(done.stdout.split())
        gone = missing & self._missed
        self._missed = missing - gone
        return gone

    def cancel(self) -> None:
        """Cancels every job, those too whose id nobody has learned."""
        subprocess.run(["scancel", *self._whose], capture_output=True, check=False)


def meaning(state: str) -> tuple[str, str]:
    """What SLURM's state of a job without a result means for a child, and the way out.

    Args:
        state: its first word; empty where SLURM doesn't say.
    """
    what, fix = _MEANINGS.get(state, UNEXPLAINED)
    return f"{what}; SLURM says {state or 'nothing of it'}", fix
