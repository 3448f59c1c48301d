"""A composed recipe value by value, each with the file and line, the override or the default that set it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from recipekit.compose.composition import Composition
from recipekit.recipe import Recipe

Path = tuple[str | int, ...]


class Setting(NamedTuple):
    """One value of a recipe.

    Attributes:
        path: its keys, the outermost first.
        value: a scalar or a list.
        origin: `recipes/x.yaml:12`, `command line: seed=7`, `packaged converter/int8.yaml:1` or `default`.
    """

    path: Path
    value: Any
    origin: str


def settings(composition: Composition, recipe: Recipe) -> list[Setting]:
    """Every value of a recipe, complete with defaults.

    Args:
        composition: what the recipe was composed of.
        recipe: the same, parsed.
    """
    written = dict(_leaves(composition.mapping, ()))
    return [
        Setting(path, value, composition.origin(path) if path in written else "default")
        for path, value in _leaves(recipe.resolved, ())
    ]


def _leaves(value: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    """Every value that is neither a mapping with keys nor a list of mappings, with its key path."""
    if isinstance(value, dict) and value:
        for key, item in value.items():
            yield from _leaves(item, (*path, key))
    else:
        yield path, value
