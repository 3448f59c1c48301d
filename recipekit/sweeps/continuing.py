"""The project as it was when a sweep began, and the reasons why a sweep can't be resumed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

import recipekit
from recipekit import fsio
from recipekit.errors import EnvironmentFault, OutputFault, UsageError
from recipekit.project import Project
from recipekit.secrecy import WITHHELD
from recipekit.sweeps.conditions import digest_of_variable, shipped
from recipekit.sweeps.copying import COPIED, digests_of_copies
from recipekit.sweeps.record import GRID, RECORD, REPEAT_COMMAND, SEARCH, Beginning, relative


def resumed_project(folder: Path, beginning: Beginning, project: Project) -> Project:
    """The project of a sweep as that one began with it: recipes, folders behind them, readable variables.

    Limits, places of outputs and of the store are those of today, so that one that was too low can be raised.

    Args:
        folder: of the sweep.
        beginning: its record.
        project: the project as found today.

    Raises:
        UsageError: the sweep is another project's, or what it was given is kept nowhere.
        EnvironmentFault: this recipekit comes with other options, or an environment variable has another value.
        OutputFault: the sweep's copy of the recipes was changed.
    """
    with fsio.reported(folder):
        root = (folder / beginning.project).resolve()
    if root != project.root.resolve() or beginning.recipes != relative(project.recipes, project.root):
        raise UsageError(
            f"this sweep belongs to the recipes folder {root / beginning.recipes}",
            where=str(folder),
            fix=f"go to {root}, or add --recipes {root / beginning.recipes}",
        )
    if beginning.shipped != shipped():
        raise EnvironmentFault(
            f"recipekit {beginning.recipekit} began this sweep with other packaged options and defaults than those of"
            f" recipekit {recipekit.__version__}",
            where=str(folder / RECORD),
            fix=f"resume it with that one, or {REPEAT_COMMAND}",
        )
    config_dirs = tuple(project.root / each for each in beginning.config_dirs)
    resumed = msgspec.structs.replace(project, config_dirs=config_dirs, env=beginning.env, copied=folder / COPIED)
    _require_copy(folder, beginning, resumed)
    for name, digest in beginning.variables.items():
        if digest_of_variable(name) != digest:
            raise EnvironmentFault(
                f"the environment variable '{name}', which recipes read, has another value than when the sweep began",
                where=str(folder / RECORD),
                fix="set it as it was then" if digest else "unset it",
            )
    return resumed


def require_repeatable(folder: Path, beginning: Beginning, overrides: Sequence[str]) -> None:
    """Refuses a sweep whose children can't be determined again from its record.

    Args:
        folder: of the sweep.
        beginning: its record.
        overrides: those that it would go on with.

    Raises:
        UsageError: its sweeper chooses children by what has ended before, or an override was withheld.
    """
    if beginning.sweeper not in {GRID, SEARCH}:
        raise UsageError(
            f"{beginning.sweeper} has chosen this sweep's children, and can't be asked for the same ones again",
            where=str(folder / RECORD),
            fix=REPEAT_COMMAND,
        )
    if any(WITHHELD in override for override in overrides):
        what = "this sweep was given what looks like a secret, and no record keeps one"
        raise UsageError(what, where=str(folder / RECORD), fix=REPEAT_COMMAND)


def _require_copy(folder: Path, beginning: Beginning, project: Project) -> None:
    with fsio.reported(folder):
        found = digests_of_copies(project)
    changed = sorted(name for name in {*found, *beginning.files} if found.get(name) != beginning.files.get(name))
    if changed:
        copied = folder / COPIED / changed[0]
        whose = f"the file that {copied} is a link to" if copied.is_symlink() else "the sweep's copy of a recipe"
        raise OutputFault(
            f"{whose} has changed since the sweep began",
            where=str(copied),
            fix=f"put it back as it was, or {REPEAT_COMMAND}",
        )
