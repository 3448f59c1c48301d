"""The children of a sweep by Hydra's basic sweeper, composed one at a time when they are asked for.

Which children there are, and in which order, is Hydra's word; how they are run is nothing that this module knows.
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
    """

    def __init__(self, rows: Sequence[Row], composed: Rows, launcher: LauncherChoice | None = None) -> None:
        """Takes what is known of the children before any of them is composed.

        Args:
            rows: the children's overrides.
            composed: what composes them.
            launcher: which one is to run them; None for this process.
        """
        self.launcher = launcher
        self._rows = rows
        self._composed = composed

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[tuple[int, Composition]]:
        return enumerate(map(self._composed.child, self._rows))


def children(
    project: Project,
    overrides: Sequence[str],
    *,
    any_launcher: bool = False,
    first: Callable[[Composition], None] = lambda _: None,
) -> Grid | None:
    """Expands a sweep as Hydra's basic sweeper does.

    Args:
        project: where the recipes are.
        overrides: the command line's, those that stand for several values among them.
        any_launcher: expand the sweep even if a launcher of another kind is to run it.
        first: is given the first child of a sweep of this process as soon as it is composed, so that its workers start
            while others are.

    Returns:
        The children, or None where only Hydra knows them: another sweeper or a launcher of Hydra's own kind is chosen,
        or a recipe asks Hydra about the job that it runs in.

    Raises:
        UsageError, CompositionError, ForbiddenKey: a child can't be composed.
    """
    with hydra_for(project), hydra_errors(project):
        master = master_config(texts_for_hydra(read_overrides(overrides, user_groups(project))))
        launcher = launcher_of(master)
        if not is_plugin(master.hydra.sweeper, BasicSweeper) or not (any_launcher or launcher):
            return None
        (rows,) = BasicSweeper.split_arguments(swept_overrides(master), None)
        elsewhere = launcher if launcher and launcher.is_elsewhere else None
        composed = rows_of(project, master)
        for number, row in enumerate(rows):
            composed.add(row)
            if number == 0 and elsewhere is None:
                first(composed.child(row))
        if composed.asks_hydra():
            return None
        grid = Grid(rows, composed, elsewhere)
        for _, child in grid:
            child.check_overrides()
        return grid
