"""The children of a sweep by Hydra's basic sweeper, composed one at a time when they are asked for.

Hydra decides which children there are, and in which order. This module doesn't know how they are run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from hydra._internal.core_plugins.basic_sweeper import BasicSweeper

from recipekit.compose.composition import Composition
from recipekit.compose.folders import user_groups
from recipekit.compose.overrides import read_overrides, texts_for_hydra
from recipekit.compose.refusals import hydra_errors
from recipekit.compose.rows import (
    LauncherChoice,
    Row,
    Rows,
    is_plugin,
    launcher_of,
    master_config,
    rows_of,
    swept_overrides,
)
from recipekit.compose.session import hydra_for
from recipekit.project import Project


class Grid:
    """The children of a sweep in Hydra's order, each with its number; a child is composed when its turn comes.

    Attributes:
        launcher: which one is to run them; None for this process.
        rows: the overrides of each child as Hydra takes them.
    """

    def __init__(self, rows: Sequence[Row], composed: Rows, launcher: LauncherChoice | None = None) -> None:
        """Takes what is known of the children before any of them is composed.

        Args:
            rows: the children's overrides.
            composed: what composes them.
            launcher: which one is to run them; None for this process.
        """
        self.launcher = launcher
        self.rows = rows
        self._composed = composed

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[tuple[int, Composition]]:
        return enumerate(map(self._composed.child, self.rows))


def children(
    project: Project,
    overrides: Sequence[str],
    *,
    first: Callable[[Composition], None] = lambda _: None,
) -> Grid | None:
    """Expands a sweep as Hydra's basic sweeper does.

    Args:
        project: where the recipes are.
        overrides: the command line's, those that stand for several values among them.
        first: is given the first child of a sweep of this process as soon as it is composed, so that its workers start
            while others are.

    Returns:
        The children, or None where only Hydra knows them: another sweeper is chosen, or a recipe asks Hydra about the
        job that it runs in.

    Raises:
        UsageError, CompositionError, ForbiddenKey: a child can't be composed.
    """
    with hydra_for(project), hydra_errors(project):
        master = master_config(texts_for_hydra(read_overrides(overrides, user_groups(project))))
        launcher = launcher_of(master)
        if not is_plugin(master.hydra.sweeper, BasicSweeper):
            return None
        (rows,) = BasicSweeper.split_arguments(swept_overrides(master), None)
        composed = rows_of(project, master)
        for number, row in enumerate(rows):
            composed.add(row)
            if number == 0 and launcher is None:
                first(composed.child(row))
        if composed.asks_hydra():
            return None
        grid = Grid(rows, composed, launcher)
        for _, child in grid:
            child.check_overrides()
        return grid


def sweeper_of(project: Project, overrides: Sequence[str]) -> str | None:
    """The class of the sweeper that chooses a sweep's children on its own account; None for Hydra's basic one.

    Raises:
        UsageError, CompositionError, ForbiddenKey: the sweep can't be composed.
    """
    with hydra_for(project), hydra_errors(project):
        texts = [override.for_hydra for override in read_overrides(overrides, user_groups(project))]
        sweeper = master_config(texts).hydra.sweeper
        return None if is_plugin(sweeper, BasicSweeper) else str(sweeper._target_)
