"""Finds the recipes that are composed of given files: as the recipe itself, as one that it extends, or as an option.

A recipe is composed to learn its files, unless neither its text nor the texts of the files that it names mention one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

from recipekit.compose.composition import compose
from recipekit.compose.folders import recipe_files, recipe_folders
from recipekit.compose.grid import children
from recipekit.compose.session import hydra_for
from recipekit.errors import RecipekitError
from recipekit.project import Project

_OPEN = ("${", "glob(")
"""What may stand for the name of any option."""


def recipes_of_files(project: Project, files: Sequence[Path]) -> tuple[list[str], list[Path]]:
    """The names of a project's recipes that are made of at least one of some files, and the files of no recipe.

    Args:
        project: where the recipes are.
        files: absolute, links resolved; one that doesn't exist is of no recipe.
    """
    recipes = {name: path.resolve() for name, path in recipe_files(project).items()}
    texts = {path: _text(path) for folder in recipe_folders(project) for path in folder.resolve().rglob("*.yaml")}
    wanted, names, used = set(files), [], set()
    with hydra_for(project):
        for name, path in recipes.items():
            within = _mentioned(path, texts) & wanted
            if within:
                found = wanted & _made_of(project, name, within)
                used |= found
                names += [name] if found else []
    return names, [file for file in files if file not in used]


def _mentioned(recipe: Path, texts: Mapping[Path, str]) -> set[Path]:
    """The recipe's file and every file that it, or one of them, may name."""
    found, pending = {recipe}, [recipe]
    while pending:
        text = texts.get(pending.pop(), "")
        anything = any(mark in text for mark in _OPEN)
        fresh = {path for path in texts if anything or path.stem in text} - found
        found |= fresh
        pending += fresh
    return found


def _made_of(project: Project, name: str, mentioned: Collection[Path]) -> set[Path]:
    """The files of a recipe, of all its children if it is a sweep; all that it mentions where it doesn't compose."""
    try:
        return {path.resolve() for path in _files(project, [f"recipe={name}"])}
    except RecipekitError:
        return set(mentioned)


def _files(project: Project, overrides: Sequence[str]) -> Iterator[Path]:
    composition = compose(project, overrides)
    yield from composition.files
    if composition.sweeps:
        for _, child in children(project, overrides) or ():
            yield from child.files


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
