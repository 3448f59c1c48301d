"""A sweep: every child runs, whatever becomes of the others, and a summary is written at the end.

Hydra's sweeper and launcher decide which children there are and where they run. A child leaves its outcome in a file
of its own, so that children in other processes count too, and one that vanished is a row with a reason.
"""

from __future__ import annotations

import atexit
import csv
import io
import os
import secrets
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timezone
from functools import cache, partial
from pathlib import Path
from typing import NamedTuple, Protocol

import msgspec

from recipekit import digests, fsio
from recipekit.compose.application import sweep
from recipekit.compose.composition import Composition
from recipekit.errors import RecipekitError, StageDied
from recipekit.outcome import Failure, Outcome, worst_exit_code
from recipekit.pipeline import Settings, Watcher, run_composition
from recipekit.pool import Limits, Pool
from recipekit.project import Project
from recipekit.report import render_sweep


class SweepResult(NamedTuple):
    """A finished sweep: its folder, and every child's outcome by number."""

    folder: Path
    outcomes: tuple[Outcome, ...]

    @property
    def exit_code(self) -> int:
        """The worst child's."""
        return worst_exit_code([outcome.exit_code for outcome in self.outcomes])


class SweepWatcher(Watcher, Protocol):
    """Is told what happens to the children that run in its process."""

    def headline(self, text: str) -> None:
        """A child begins."""

    def failure(self, outcome: Outcome) -> None:
        """A child has ended without an output."""

    def stopped(self) -> None:
        """No step runs any more."""


def run_sweep(
    project: Project, overrides: Sequence[str], settings: Settings, watch: Callable[[], SweepWatcher]
) -> SweepResult:
    """Runs every child of a sweep and writes `outputs/sweeps/<id>/` with its summary.

    Args:
        project: where the recipes are.
        overrides: the command line's, those that stand for several values among them.
        settings: of every child.
        watch: makes the watcher of a process that runs children; it must be picklable for launchers that start others.

    Raises:
        UsageError, CompositionError, ForbiddenKey: a child can't be composed; then none has run.
        OutputFault: the summary can't be written.
    """
    started = datetime.now(timezone.utc)
    folder = project.outputs / "sweeps" / f"{started:%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"
    with fsio.reported(folder):
        fsio.make_folders(folder)
    lost: tuple[Outcome, ...] = ()
    try:
        sweep(project, overrides, folder, partial(_run_child, project, settings, folder, watch))
    except RecipekitError:
        _finish(folder)
        raise
    except Exception as error:  # noqa: BLE001  a launcher is foreign code; what its children left behind still counts
        lost = (_lost(error, started),)
    except BaseException:  # an interruption: the children that have ended count, too
        _finish(folder)
        raise
    finally:
        _pool(Limits.of(project)).close()
    return SweepResult(folder, _finish(folder, lost))


def _finish(folder: Path, lost: tuple[Outcome, ...] = ()) -> tuple[Outcome, ...]:
    """Writes the summary of all children that have ended; where there are none the folder goes, too.

    Raises:
        OutputFault: the file system refused.
    """
    with fsio.reported(folder):
        found = [msgspec.json.decode(path.read_bytes(), type=Outcome) for path in folder.glob("*/outcome.json")]
        outcomes = (*sorted(found, key=lambda outcome: outcome.number), *lost)
        (folder / "multirun.yaml").unlink(missing_ok=True)  # Hydra's copy of the config names paths of this machine
        if outcomes:
            _summarise(folder, outcomes)
        else:
            fsio.remove_tree(folder)
    return outcomes


def _run_child(
    project: Project,
    settings: Settings,
    folder: Path,
    watch: Callable[[], SweepWatcher],
    composition: Composition,
    number: int,
) -> None:
    """One child: whatever is wrong with it becomes its outcome."""
    watcher = watch()
    watcher.headline(f"[{number}] {composition.recipe} {' '.join(composition.overrides)}".rstrip())
    started = time.monotonic()
    sweep_id = folder.name
    try:
        pool = _pool(Limits.of(project))
        outcome = run_composition(composition, pool, watcher, settings.for_child(sweep_id, number))
    except RecipekitError as error:
        outcome = Outcome(
            recipe=composition.recipe,
            overrides=composition.overrides,
            number=number,
            status="failed",
            seconds=time.monotonic() - started,
            failure=Failure.of(error),
        )
        watcher.failure(outcome)
    finally:
        watcher.stopped()
    with fsio.reported(folder):
        child = folder / str(number)
        child.mkdir(exist_ok=True)
        fsio.write_bytes(child / "outcome.json", msgspec.json.encode(outcome))


@cache
def _pool(limits: Limits) -> Pool:
    """The workers of this process, shared by all children that run in it and ended with it."""
    pool = Pool(limits)
    atexit.register(pool.close)
    return pool


def _lost(error: Exception, started: datetime) -> Outcome:
    what = f"the launcher gave up, and children that had not ended are lost: {type(error).__name__}: {error}"
    return Outcome(
        recipe="",
        number=-1,
        status="failed",
        seconds=(datetime.now(timezone.utc) - started).total_seconds(),
        failure=Failure.of(StageDied(what.partition("\n")[0], fix="run the sweep again; what is built is found")),
    )


def _summarise(folder: Path, outcomes: tuple[Outcome, ...]) -> None:
    rows = [{**outcome.row(), "output": _relative(outcome.output, folder)} for outcome in outcomes]
    table = io.StringIO()
    writer = csv.DictWriter(table, fieldnames=list(rows[0]) if rows else ["number"])
    writer.writeheader()
    writer.writerows({**row, "overrides": " ".join(row["overrides"])} for row in rows)
    fsio.write_bytes(folder / "summary.json", digests.pretty_json(rows).encode())
    fsio.write_bytes(folder / "summary.csv", table.getvalue().encode())
    fsio.write_bytes(folder / "summary.html", render_sweep(rows).encode())


def _relative(output: str, folder: Path) -> str:
    """An output's folder as seen from the sweep's, so that a moved outputs folder keeps its links."""
    return Path(os.path.relpath(output, folder)).as_posix() if output else ""
