"""The summary of a sweep: the rows of all children that have ended, as JSON, CSV and a page.

It reads what the children have left in the sweep's folder, and knows nothing of how they ran.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from recipekit import fsio
from recipekit.child_outcomes import Lines, Outcomes, objectives_of, row_of
from recipekit.outcome import Outcome
from recipekit.report import sweep_page
from recipekit.studied import read_study
from recipekit.summary import SUMMARY, SUMMARY_PAGE, SUMMARY_TABLE, Summary, csv_lines, json_lines
from recipekit.sweeps import SO_FAR, is_resumable


def summarise(folder: Path, lost: tuple[Outcome, ...] = ()) -> Outcomes:
    """Writes the summary of all children that have ended; where the sweep never began the folder goes.

    Args:
        folder: of the sweep.
        lost: outcomes that have no file.

    Raises:
        OutputFault: the file system refused.
    """
    with fsio.reported(folder):
        outcomes = Outcomes(folder, lost)
        (folder / "multirun.yaml").unlink(missing_ok=True)  # Hydra's copy of the config names paths of this machine
        (folder / SO_FAR).unlink(missing_ok=True)
        if outcomes:
            _write(folder, outcomes)
        elif not is_resumable(folder):
            fsio.remove_tree(folder)
    return outcomes


@contextmanager
def summarised_if_stopped(folder: Path) -> Iterator[None]:
    """Whatever stops a sweep, the children that have ended count."""
    try:
        yield
    except BaseException:
        summarise(folder)
        raise


def _write(folder: Path, outcomes: Outcomes) -> None:
    """Writes the rows of all children, which no memory holds at once."""
    aside, objectives = folder / ".rows", objectives_of(folder)
    try:
        rows = ({**row_of(it, objectives), "output": _relative(it.output, folder)} for it in outcomes)
        summary = Summary(Lines(aside, rows), objectives)
        fsio.write_parts(folder / SUMMARY, json_lines(summary))
        fsio.write_parts(folder / SUMMARY_TABLE, csv_lines(summary))
        page = sweep_page(summary, f"Sweep {folder.name}", study=read_study(folder))
        fsio.write_parts(folder / SUMMARY_PAGE, page)
    finally:
        aside.unlink(missing_ok=True)


def _relative(output: str, folder: Path) -> str:
    """An output's folder as seen from the sweep's, so that a moved outputs folder keeps its links."""
    return Path(os.path.relpath(output, folder)).as_posix() if output else ""
