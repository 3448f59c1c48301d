"""The project that a recorded output belongs to, whose recipes may be gone by now."""

from __future__ import annotations

from pathlib import Path

from recipekit.errors import ProjectError
from recipekit.project import Project, find_project


def project_around(output: Path, here: Path, named: Path | None = None) -> Project:
    """The project whose paths an output's records are relative to.

    Args:
        output: the output's folder.
        here: the current folder, tried where the output lies in no project.
        named: the project's root, if the user names it; it need not have recipes any more.
    """
    if named is not None:
        return _plain(named.resolve())
    return next(filter(None, map(_project_of, (output, here))), _plain(here))


def _project_of(start: Path) -> Project | None:
    try:
        return find_project(start)
    except ProjectError:
        return None


def _plain(root: Path) -> Project:
    return Project(root=root, recipes=root / "recipes", outputs=root / "outputs")
