"""Which project a call means, in the words that all functions share."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from recipekit.errors import ProjectError
from recipekit.outputs.lookup import find_folder
from recipekit.project import Project, find_project

PathLike = str | os.PathLike[str]


def open_project(project: PathLike | None, config_dir: PathLike | None = None) -> Project:
    """The project around a folder.

    Args:
        project: a folder in it, or its recipes folder; None for the current folder.
        config_dir: one more folder of recipes and options, looked up last.

    Raises:
        ProjectError: there is none, or its settings are wrong.
        UsageError: `config_dir` is no folder.
    """
    start = Path.cwd() if project is None else Path(project)
    if project is not None and not start.is_dir():
        raise ProjectError("there is no such folder", where=str(start), fix="name a folder of your project")
    found = find_project(start, by_variable=project is None)
    return found if config_dir is None else found.with_config_dir(Path(config_dir))


def any_project(project: PathLike | None) -> Project | None:
    """The same for what does without a project: None where nobody named one and there is none from here up."""
    if project is None:
        with suppress(ProjectError):
            return find_project(Path.cwd())
        return None
    return open_project(project)


def output_folder(output: PathLike, project: PathLike | None) -> Path:
    """The folder of an output or a sweep that a call names: a path, or `NAME/latest` and the like in the project.

    Raises:
        UsageError: there is none.
    """
    found = any_project(project)
    return find_folder(str(output), Path.cwd(), found.recipes if found else None)
