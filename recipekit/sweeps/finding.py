"""Finds a sweep by the id or path that a user gives."""

from __future__ import annotations

from pathlib import Path

from recipekit import fsio
from recipekit.errors import UsageError
from recipekit.nearest import did_you_mean
from recipekit.project import Project
from recipekit.sweeps.record import RECORD


def find_sweep(name: str, project: Project, here: Path) -> Path:
    """The folder of a sweep.

    Args:
        name: its id, `latest` for the one that began last, or a path.
        project: whose sweeps are looked at first.
        here: what a path is relative to.

    Returns:
        An absolute path.

    Raises:
        UsageError: there is no such folder.
        OutputFault: the file system refuses to look.
    """
    home = project.sweeps
    ids = sweep_ids(project)
    with fsio.reported(home):
        if name == "latest" and ids:
            return home / ids[-1]
        found = next((place / name for place in (home, here) if name and (place / name).is_dir()), None)
    if found is None:
        fix = f"name one such as {ids[-1]}, or latest" if ids else "begin one: recipekit run -m recipe=NAME key=a,b"
        raise UsageError(f"there is no such sweep{did_you_mean(name, ids)}", where=f"--resume {name}", fix=fix)
    return found.resolve()


def sweep_ids(project: Project) -> list[str]:
    """The ids of a project's sweeps that can be resumed, the one that began last at the end.

    Raises:
        OutputFault: the file system refuses to look.
    """
    home = project.sweeps
    with fsio.reported(home):
        return sorted(path.parent.name for path in home.glob(f"*/{RECORD}"))
