"""What lies in a project's recipes folders; read from the file system alone, since not every reader needs Hydra."""

from __future__ import annotations

import os
from importlib.resources import files
from pathlib import Path

from recipekit.project import Project


def recipe_files(project: Project) -> dict[str, Path]:
    """The file of every recipe by its name, sorted; of two recipes with one name the one that Hydra finds."""
    found: dict[str, Path] = {}
    for folder in reversed(recipe_folders(project)):
        found.update({path.stem: path for path in folder.glob("*.yaml") if path.is_file()})
    return dict(sorted(found.items()))


def user_groups(project: Project) -> tuple[str, ...]:
    """Folders below the recipes folders: groups besides those of the language."""
    found: set[str] = set()
    for folder in recipe_folders(project):
        with os.scandir(folder) as entries:  # knows folders from files without asking for each
            found.update(entry.name for entry in entries if entry.is_dir())
    return tuple(sorted(found))


def recipe_folders(project: Project) -> tuple[Path, ...]:
    """The project's recipes folder and those behind it where they are read, in the order of the look-up."""
    return project.recipe_folders


def shown(path: Path, project: Project) -> str:
    """A file as messages name it: where it stands in the project, seen from the root if it lies below that."""
    path = project.declared(path)
    return path.relative_to(project.root).as_posix() if path.is_relative_to(project.root) else str(path)


def group_options(project: Project) -> dict[str, list[str]]:
    """The options of every group, the packaged ones among them; both sorted, groups without an option left out."""
    found: dict[str, set[str]] = {}
    for folder in (files("recipekit.presets"), *recipe_folders(project)):
        for group in folder.iterdir():
            if group.is_dir() and not group.name.startswith((".", "_")):
                options = {Path(option.name).stem for option in group.iterdir() if option.name.endswith(".yaml")}
                found.setdefault(group.name, set()).update(options)
    return {group: sorted(options) for group, options in sorted(found.items()) if options}
