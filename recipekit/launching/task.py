"""One child of a sweep as something to carry out: it can be sent to another process or machine."""

from __future__ import annotations

import atexit
import time
from contextlib import ExitStack
from functools import cache
from typing import NamedTuple

from recipekit.build import Job
from recipekit.contracts import Progress
from recipekit.errors import InternalError, RecipekitError
from recipekit.execution import Watcher
from recipekit.facilities import facilities_for
from recipekit.outcome import Failure, Outcome
from recipekit.pipeline import Facilities, Settings, run_job
from recipekit.project import Project

RESUME_SWEEP = "recipekit run --resume SWEEP, given the sweep's id, builds what is missing"
"""The fix that an error names where a child was lost."""


class Task(NamedTuple):
    """A child of a sweep; picklable.

    Attributes:
        number: the child's.
        job: its recipe, checked.
        settings: how to carry it out.
    """

    number: int
    job: Job
    settings: Settings

    def failed(self, error: RecipekitError, seconds: float) -> Outcome:
        """The outcome of a child that has no output.

        Args:
            error: why.
            seconds: how long it took to fail.
        """
        return Outcome(
            recipe=self.job.option,
            overrides=self.job.overrides,
            number=self.number,
            status="failed",
            seconds=seconds,
            failure=Failure.of(error),
        )

    def defective(self, error: Exception, seconds: float) -> Outcome:
        """The outcome of a child that a defect of recipekit's has ended.

        Args:
            error: what nobody foresaw.
            seconds: how long it took.
        """
        said = str(error).partition("\n")[0]
        return self.failed(InternalError(f"{type(error).__name__}: {said}", fix="report it, with the recipe"), seconds)

    def outcome(self, facilities: Facilities, watcher: Watcher) -> Outcome:
        """Builds the child; whatever is wrong with it becomes its outcome."""
        started = time.monotonic()
        try:
            return run_job(self.job, facilities, watcher, self.settings)
        except RecipekitError as error:
            return self.failed(error, time.monotonic() - started)


def run_task(task: Task, watcher: Watcher | None = None) -> Outcome:
    """Carries out a task in a process of a launcher's, whose workers then wait for the next one until it ends.

    Args:
        task: the child.
        watcher: is told what happens; nobody if None. The warnings stand in the outcome, too.
    """
    return task.outcome(_facilities(task.job.project.reading(None)), watcher or _Nobody())


@cache
def _facilities(project: Project) -> Facilities:
    held = ExitStack()
    atexit.register(held.close)
    return held.enter_context(facilities_for(project))


class _Nobody:
    """Watches a child in a process without a screen."""

    def started(self, step: str) -> None:
        pass

    def finished(self, step: str, seconds: float, note: str) -> None:
        pass

    def progress(self, step: str, progress: Progress) -> None:
        pass

    def found(self, step: str, seconds: float, note: str) -> None:
        pass

    def warning(self, text: str) -> None:
        pass
