"""Functions that read recipes and build nothing."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from recipekit.api.projects import PathLike, open_project
from recipekit.api.shown import Shown
from recipekit.catalogue import catalogue
from recipekit.compose.composition import compose
from recipekit.compose.written import Written, written
from recipekit.errors import InvalidRecipe, RecipekitError, by_id
from recipekit.recipe import parse
from recipekit.report import Panel, Table
from recipekit.validation import Validation, validate_recipe, validate_recipes


@dataclass(frozen=True)
class ValidateResult(Shown):
    """What was found of one recipe.

    Attributes:
        recipe: its option name.
        id: of its worst error, `RK201` and the like; None for a valid recipe.
        error: every fault in words, a line each; None for a valid recipe.
        warnings: what it does that is probably not meant.
        exit_code: what `recipekit validate` would exit with.
    """

    recipe: str
    id: str | None
    error: str | None
    warnings: tuple[str, ...]
    exit_code: int

    @property
    def valid(self) -> bool:
        """Whether there is no error."""
        return self.error is None

    def require_valid(self) -> ValidateResult:
        """Itself, if it is valid.

        Raises:
            RecipekitError: of the class of its worst error, with every fault in its message.
        """
        if self.error is not None:
            kind: type[RecipekitError] = by_id().get(self.id or "", InvalidRecipe)
            raise kind(self.error)
        return self

    def _panel(self) -> Panel:
        faults = [(line.strip(),) for line in (self.error or "").splitlines()]
        told = {"Faults": faults, "Warnings": [(warning,) for warning in self.warnings]}
        tables = [Table(caption, (caption[:-1],), rows) for caption, rows in told.items() if rows]
        return Panel(self.recipe, "pass" if self.valid else "fail", {}, {}, tables)


@dataclass(frozen=True)
class ShowResult(Shown):
    """A recipe as it is composed.

    Attributes:
        recipe: its option name.
        resolved: the whole recipe as plain data, complete with defaults; what an output's `recipe.yaml` holds.
        settings: every value with its path and what set it.
        warnings: what it does that is probably not meant.
    """

    recipe: str
    resolved: dict[str, Any]
    settings: tuple[Written, ...]
    warnings: tuple[str, ...]

    def _panel(self) -> Panel:
        rows = [
            (".".join(map(str, path)), json.dumps(value, ensure_ascii=False), origin)
            for path, value, origin in self.settings
        ]
        return Panel(self.recipe, "", {}, {}, [Table("Values", ("Key", "Value", "Set in"), rows)])


def validate(
    recipe: str,
    *,
    overrides: Sequence[str] = (),
    project: PathLike | None = None,
    config_dir: PathLike | None = None,
) -> ValidateResult:
    """Checks a recipe without running it; a wrong one is a result, too.

    Args:
        recipe: its name.
        overrides: `key=value` as on the command line.
        project: a folder of the project; the current one if None.
        config_dir: one more folder of recipes and options, looked up last.

    Raises:
        ProjectError, UsageError: there is no such project or folder.
    """
    return _result(validate_recipe(open_project(project, config_dir), [f"recipe={recipe}", *overrides]))


def validate_all(
    *, overrides: Sequence[str] = (), project: PathLike | None = None, config_dir: PathLike | None = None
) -> tuple[ValidateResult, ...]:
    """Checks every recipe of a project; the arguments and errors are those of `validate`."""
    return tuple(map(_result, validate_recipes(open_project(project, config_dir), overrides)))


def show(
    recipe: str,
    *,
    overrides: Sequence[str] = (),
    project: PathLike | None = None,
    config_dir: PathLike | None = None,
) -> ShowResult:
    """Composes a recipe, and says of every value which file and line, override or default set it.

    Args:
        recipe: its name.
        overrides: `key=value` as on the command line.
        project: a folder of the project; the current one if None.
        config_dir: one more folder of recipes and options, looked up last.

    Raises:
        UsageError, CompositionError, ForbiddenKey, InvalidRecipe: it is wrong.
    """
    found = open_project(project, config_dir)
    composition = compose(found, [f"recipe={recipe}", *overrides])
    parsed = parse(composition.mapping, found.root, composition.origin)
    settings = written(parsed.resolved, composition.mapping, composition.origin)
    return ShowResult(recipe, dict(parsed.resolved), tuple(settings), parsed.warnings)


def list_recipes(*, project: PathLike | None = None, config_dir: PathLike | None = None) -> dict[str, str]:
    """The project's recipes and their descriptions, by name."""
    return catalogue(open_project(project, config_dir)).recipes


def _result(found: Validation) -> ValidateResult:
    return ValidateResult(found.recipe, found.id, found.error, found.warnings, found.exit_code)
