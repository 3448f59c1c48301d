"""Recipes checked without a run: composed and read, every child of a sweep too, and what is wrong told as data.

No worker is started, and no file of a model or of data is looked at.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from recipekit.compose.composition import Composition, compose
from recipekit.compose.folders import recipe_files
from recipekit.compose.grid import children
from recipekit.compose.searches import search_of
from recipekit.compose.session import hydra_for
from recipekit.contracts import Record
from recipekit.errors import RecipekitError
from recipekit.outcome import worst_exit_code
from recipekit.project import Project
from recipekit.recipe import parse
from recipekit.secrecy import redacted


class Validation(Record, frozen=True, kw_only=True):
    """What was found of one recipe.

    Attributes:
        recipe: its option name.
        exit_code: 0 for a valid one, else that of its worst error.
        id: of that error; None without one.
        error: every error in words, a fault a line; None without one.
        warnings: what it does that is probably not meant.
    """

    recipe: str
    exit_code: int
    id: str | None
    error: str | None
    warnings: tuple[str, ...]


def validate_recipe(project: Project, overrides: Sequence[str]) -> Validation:
    """Checks one recipe.

    Args:
        project: where the recipes are.
        overrides: the command line's, `recipe=NAME` among them; those that stand for several values are all checked.
    """
    name = next(override for override in overrides if override.startswith("recipe=")).partition("=")[2]
    try:
        composition = compose(project, overrides)
        swept = _swept(project, overrides) if composition.sweeps else None
    except RecipekitError as error:
        return _result(name, [(error, str(error))], [])
    found = [("", _read(composition))] if swept is None else [(" ".join(it.overrides), _read(it)) for it in swept]
    blamed: dict[str, tuple[RecipekitError, list[str]]] = {}
    for child, read in found:
        if isinstance(read, RecipekitError):
            blamed.setdefault(str(read), (read, []))[1].append(child)
    errors = [(error, f"{_children(those)}{text}") for text, (error, those) in blamed.items()]
    warnings = [warning for _, read in found if isinstance(read, tuple) for warning in read]
    return _result(name, errors, warnings)


def validate_recipes(project: Project, overrides: Sequence[str] = ()) -> list[Validation]:
    """Checks every recipe of a project, each with the same overrides."""
    with hydra_for(project):
        return [validate_recipe(project, [f"recipe={name}", *overrides]) for name in recipe_files(project)]


def _swept(project: Project, overrides: Sequence[str]) -> Iterable[Composition] | None:
    """The children of a recipe that sweeps, of a search those that show every choice; None where only Hydra knows."""
    grid = children(project, overrides)
    if grid is not None:
        return (child for _, child in grid)
    search = search_of(project, overrides, any_launcher=True)
    return None if search is None else search.corners()


def _read(composition: Composition) -> tuple[str, ...] | RecipekitError:
    """The warnings of a recipe that is right, or what is wrong with it."""
    try:
        return parse(composition.mapping, composition.project.root, composition.origin).warnings
    except RecipekitError as error:
        return error


def _result(name: str, errors: Sequence[tuple[RecipekitError, str]], warnings: Iterable[str]) -> Validation:
    """The worst error gives the exit code and the id; all of them are told, and each warning once."""
    worst = worst_exit_code([error.exit_code for error, _ in errors])
    return Validation(
        recipe=name,
        exit_code=worst,
        id=next((error.id for error, _ in errors if error.exit_code == worst), None),
        error=redacted("\n".join(text for _, text in errors)) or None,
        warnings=tuple(dict.fromkeys(warnings)),
    )


def _children(those: Sequence[str]) -> str:
    """Which children of a sweep an error is about, in front of it; nothing where the recipe is no sweep."""
    more = f" (and {len(those) - 1:,} more)" if len(those) > 1 else ""
    return f"{those[0]}{more}: " if those[0] else ""
