"""What an interrupted run or sweep leaves behind, and how to go on, in words."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from recipekit.cli.arguments import near
from recipekit.cli.screen import Screen
from recipekit.project import Project

if TYPE_CHECKING:
    from recipekit.cli.sweep_screen import SweepScreen

_AGAIN = "  go on: the same command again; what is kept is found and not made anew"


def kept_of_run(screen: Screen, project: Project, *, rebuild: bool = False) -> str:
    """What is kept of one build: nothing where every stage is made anew and kept nowhere."""
    published = "the running build published nothing"
    if rebuild:
        return f"{published}; with --rebuild no stage is kept, so the same command starts again"
    if not screen.kept:
        return f"{published} and kept no stage; the same command starts again"
    stages = "1 stage" if len(screen.kept) == 1 else f"{len(screen.kept)} stages"
    return f"{published}\n  kept: {stages} in {near(project.store)}: {', '.join(screen.kept)}\n{_AGAIN}"


def kept_of_sweep(screen: SweepScreen, project: Project) -> str:
    """What is kept of a sweep: children that have ended, with a summary of them, and stages of all."""
    from recipekit.sweeps import is_resumable  # noqa: PLC0415  a build alone needs none of it

    kept = f"  kept: what stages gave, in {near(project.store)}"
    if screen.folder is None:
        return f"no child had begun\n{kept}\n{_AGAIN}"
    total = "" if screen.total is None else f" of {screen.total}"
    summary = screen.folder / "summary.html"
    if summary.exists():
        kept = f"{kept}\n  kept: every child that has ended; summary: {near(summary)}"
    ended = f"{_children(screen.folder)}{total} children have ended; those that ran published nothing"
    again = f"  go on: recipekit run --resume {screen.folder.name}" if is_resumable(screen.folder) else _AGAIN
    return f"{ended}\n{kept}\n{again}"


def _children(folder: Path) -> int:
    return len(list(folder.glob("*/outcome.json")))
