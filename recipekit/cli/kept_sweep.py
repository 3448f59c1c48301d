"""What an interrupted sweep leaves behind, and how to go on, in words."""

from __future__ import annotations

from pathlib import Path

from recipekit.child_outcomes import FILE as OUTCOME
from recipekit.cli.arguments import near
from recipekit.cli.kept import GO_ON
from recipekit.cli.sweep_screen import SweepScreen
from recipekit.project import Project
from recipekit.summary import SUMMARY_PAGE
from recipekit.sweeps import is_resumable


def kept_of_sweep(screen: SweepScreen, project: Project) -> str:
    """What is kept of a sweep: children that have ended, with a summary of them, and stages of all."""
    kept = f"  kept: what stages gave, in {near(project.store)}"
    if screen.folder is None:
        return f"no child had begun\n{kept}\n{GO_ON}"
    total = "" if screen.total is None else f" of {screen.total}"
    summary = screen.folder / SUMMARY_PAGE
    if summary.exists():
        kept = f"{kept}\n  kept: every child that has ended; summary: {near(summary)}"
    ended = f"{_children(screen.folder)}{total} children have ended; those that ran published nothing"
    again = f"  go on: recipekit run --resume {screen.folder.name}" if is_resumable(screen.folder) else GO_ON
    return f"{ended}\n{kept}\n{again}"


def _children(folder: Path) -> int:
    return len(list(folder.glob(f"*/{OUTCOME}")))
