"""A search that `hydra/sweeper=recipekit_optuna` asks for: its settings, what it varies, and how a child is composed.

Hydra composes the sweeper's settings and never instantiates it. Which values a child takes is said by whoever runs the
search; no study is known here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from omegaconf import OmegaConf

from recipekit.compose.composition import Composition
from recipekit.compose.folders import user_groups
from recipekit.compose.overrides import read_overrides, texts_for_hydra
from recipekit.compose.refusals import hydra_errors
from recipekit.compose.rows import LauncherChoice, Rows, launcher_of, master_config, rows_of, swept_overrides
from recipekit.compose.session import hydra_for
from recipekit.compose.space import Choice, Numbers, Parameter, Value, read_space
from recipekit.errors import UsageError
from recipekit.project import Project

_OURS = "recipekit.searching."
"""Where the sweepers are that recipekit runs itself."""


class Search:
    """What a search is made of.

    Attributes:
        project: where the recipes are.
        settings: the sweeper's other keys, resolved and not checked yet.
        parameters: what varies.
        fixed: the overrides that all children share.
        launcher: which one is to run the children; None for this process.
    """

    def __init__(
        self,
        project: Project,
        settings: dict[str, Any],
        space: Sequence[Parameter | str],
        rows: Rows,
        launcher: LauncherChoice | None,
    ) -> None:
        """Composes nothing.

        Args:
            project: where the recipes are.
            settings: the sweeper's.
            space: of the children, in the order of their overrides.
            rows: what composes them.
            launcher: which one is to run them; None for this process.
        """
        self.project = project
        self.settings = settings
        self.parameters = tuple(it for it in space if isinstance(it, Choice | Numbers))
        self.fixed = tuple(it.lstrip("+") for it in space if isinstance(it, str))
        self.launcher = launcher
        self._space = space
        self._rows = rows

    def child(self, values: Mapping[str, Value]) -> Composition:
        """Composes a child.

        Args:
            values: of each parameter, by its key.

        Raises:
            UsageError, CompositionError, ForbiddenKey: these values don't compose.
        """
        row = [it if isinstance(it, str) else f"{it.element}={it.text(values[it.key])}" for it in self._space]
        self._rows.add(row)
        child = self._rows.child(row)
        child.check_overrides()
        return child

    def corners(self) -> Iterator[Composition]:
        """Children that show whether everything composes: each choice once, beside the first values of all others.

        Raises:
            UsageError, CompositionError, ForbiddenKey: one of them doesn't.
        """
        first = {parameter.key: parameter.corner[0] for parameter in self.parameters}
        yield self.child(first)
        for parameter in self.parameters:
            for value in parameter.corner[1:]:
                yield self.child({**first, parameter.key: value})

    def asks_hydra(self) -> bool:
        """Whether a child that was composed asks Hydra about its job."""
        return self._rows.asks_hydra()


def search_of(project: Project, overrides: Sequence[str], *, any_launcher: bool = False) -> Search | None:
    """The search that a sweep is; every value that can be listed has been composed.

    Args:
        project: where the recipes are.
        overrides: the command line's, those that stand for several values among them.
        any_launcher: take it even if a launcher that can't run it is chosen.

    Returns:
        The search, or None where another sweeper is chosen.

    Raises:
        UsageError, CompositionError, ForbiddenKey: a child can't be composed, nothing varies, or the launcher takes no
            children one after the other.
    """
    with hydra_for(project), hydra_errors(project):
        master = master_config(texts_for_hydra(read_overrides(overrides, user_groups(project))))
        settings: Any = OmegaConf.to_container(master.hydra.sweeper, resolve=True)
        if not settings.pop("_target_").startswith(_OURS):
            return None
        launcher = launcher_of(master)
        if launcher is not None and not (launcher.is_ours or any_launcher):
            raise UsageError(
                "a search chooses each child by what has ended before, and the launcher takes all at once",
                where=f"hydra/launcher={master.hydra.runtime.choices['hydra/launcher']}",
                fix="leave the launcher out, or use hydra/launcher=recipekit_ray or recipekit_submitit",
            )
        settings.pop("params", None)
        space = read_space(swept_overrides(master))
        search = Search(project, settings, space, rows_of(project, master), launcher)
        for _ in search.corners():
            pass
        if search.asks_hydra():
            raise UsageError(
                "a child of a search can't ask Hydra about its job",
                where="search",
                fix="take '${hydra:...}' out of the recipe, or sweep with hydra/sweeper=basic",
            )
        return search
