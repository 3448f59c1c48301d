"""What a project offers: its recipes, the options of every group, the plugins. Reads YAML alone; Hydra isn't needed."""

from __future__ import annotations

from pathlib import Path

import yaml

from recipekit.compose.folders import group_options, recipe_files
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
        groups=group_options(project),
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
