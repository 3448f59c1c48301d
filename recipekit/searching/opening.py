"""From a search to its study; Optuna is imported only when there is one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from importlib import import_module
from pathlib import Path
from typing import Protocol

from recipekit.compose.composition import Composition
from recipekit.compose.rows import LauncherChoice
from recipekit.compose.searches import Search
from recipekit.errors import EnvironmentFault
from recipekit.outcome import Outcome


class Study(Protocol):
    """Says which child comes next, and is told how each has ended.

    Attributes:
        launcher: which one is to run the children; None for this process.
        at_once: how many may be under way at once in this process.
    """

    launcher: LauncherChoice | None
    at_once: int

    def __len__(self) -> int:
        """How many children are still to come."""

    def __iter__(self) -> Iterator[tuple[int, Composition | Outcome]]:
        """Each child with its number, chosen when it is asked for; its outcome where it can't be composed."""

    def ended(self, outcome: Outcome) -> None:
        """A child has ended, in whatever thread.

        Raises:
            UsageError: it was measured, and an objective wasn't.
        """


def open_study(search: Search, folder: Path, left: Callable[[int], Outcome | None]) -> AbstractContextManager[Study]:
    """Begins a study, or goes on with it where its storage has it.

    Args:
        search: what is searched.
        folder: of the sweep; the study's journal lies in it unless the search names another storage.
        left: an earlier driver's outcome of a child of this sweep, by its number; None where there is none.

    Raises:
        UsageError: a setting doesn't fit, or the storage has a study of that name that searches something else.
        EnvironmentFault: Optuna isn't installed, or is too old.
        OutputFault: the storage can't be opened.
    """
    try:
        module = import_module("recipekit.searching.study")
    except ImportError as error:
        raise EnvironmentFault(
            f"hydra/sweeper=recipekit_optuna needs the package optuna, version 5 or later: {error}",
            where="environment",
            fix="pip install 'recipekit[optuna]'",
        ) from error
    opened: AbstractContextManager[Study] = module.open_study(search, folder, left)
    return opened
