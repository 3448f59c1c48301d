"""What a project offers: its recipes, the options of every group, the plugins. Reads YAML alone; Hydra isn't needed."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import yaml

from recipekit.compose.folders import recipe_files, recipe_folders
from recipekit.compose.limits import LOADER, excess
from recipekit.contracts import Record
from recipekit.project import Project
from recipekit.registry import names


class Catalogue(Record, frozen=True, kw_only=True):
    """What there is to choose from.

    Attributes:
        recipes: descriptions by recipe.
        groups: options by group, those of the package among them.
        plugins: names by kind.
    """

    recipes: dict[str, str]
    groups: dict[str, list[str]]
    plugins: dict[str, list[str]]


def catalogue(project: Project) -> Catalogue:
    """Looks through a project's folders and the installed plugins; a recipe that can't be read is listed, too."""
    return Catalogue(
        recipes={name: _description(path) for name, path in recipe_files(project).items()},
        groups=_groups(project),
        plugins={kind: list(names(kind)) for kind in ("sources", "datasets", "metrics", "engines")},
    )


def _description(path: Path) -> str:
    unreadable = "(can't be read: see recipekit validate)"
    try:
        text = path.read_text(encoding="utf-8-sig")
        if excess(text):
            return unreadable
        document = yaml.load(text, Loader=LOADER)  # noqa: S506  both are safe loaders
    except (yaml.YAMLError, UnicodeDecodeError, OSError):
        return unreadable
    described = document.get("description", "") if isinstance(document, dict) else ""
    return str(described)


def _groups(project: Project) -> dict[str, list[str]]:
    found: dict[str, set[str]] = {}
    for folder in (files("recipekit.presets"), *recipe_folders(project)):
        for group in folder.iterdir():
            if group.is_dir() and not group.name.startswith((".", "_")):
                options = {Path(option.name).stem for option in group.iterdir() if option.name.endswith(".yaml")}
                found.setdefault(group.name, set()).update(options)
    return {group: sorted(options) for group, options in sorted(found.items()) if options}
