"""The children of a sweep by Hydra's basic sweeper, composed one at a time when they are asked for.

Hydra composes every child twice, from its files. Here the files are merged once for each combination of options, and
a child is a copy of that with its values overridden by Hydra's own function. Which children there are, and in which
order, is Hydra's word; how they are run is nothing that this module knows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from hydra._internal.core_plugins.basic_launcher import BasicLauncher
from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from recipekit.compose.composition import Composition
from recipekit.compose.folders import user_groups
from recipekit.compose.layers import Layers, lay, unforeseen
from recipekit.compose.overrides import CommandOverride, read_overrides
from recipekit.compose.reach import is_hydras
from recipekit.compose.refusals import hydra_errors
from recipekit.compose.session import PRIMARY, hydra_for
from recipekit.project import Project

Row = Sequence[str]
"""A child's overrides as Hydra takes them."""

_OURS = "recipekit.launching."
"""Where the launchers are that recipekit opens itself; Hydra only composes their settings."""


class LauncherChoice(NamedTuple):
    """The launcher that `hydra/launcher` names.

    Attributes:
        target: its class.
        settings: its other keys, resolved; empty for a plugin of Hydra's, which Hydra makes.
    """

    target: str
    settings: dict[str, Any]

    @property
    def is_ours(self) -> bool:
        """Whether recipekit opens it itself."""
        return self.target.startswith(_OURS)


class Grid:
    """The children of a sweep in Hydra's order, each with its number; a child is composed when its turn comes.

    Attributes:
        launcher: which one is to run them; None for this process.
        rows: the overrides of each child as Hydra takes them.
    """

    def __init__(
        self,
        project: Project,
        rows: Sequence[Row],
        read: Mapping[str, CommandOverride],
        layers: Mapping[tuple[str, ...], Layers],
        launcher: LauncherChoice | None = None,
    ) -> None:
        """Takes what is known of the children before any of them is composed.

        Args:
            project: where the recipes are.
            rows: the children's overrides.
            read: each of these overrides, read.
            layers: the merged files for each combination of options.
            launcher: which one is to run them; None for this process.
        """
        self.launcher = launcher
        self._project = project
        self.rows = rows
        self._read = read
        self._layers = layers

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[tuple[int, Composition]]:
        return enumerate(map(self._child, self.rows))

    def _child(self, row: Row) -> Composition:
        overrides = [self._read[text] for text in row]
        values = tuple(override.parsed for override in overrides if override.is_value)
        theirs = tuple(override for override in overrides if not is_hydras(override.key))
        return Composition(self._project, theirs, self._layers[_choices(row, self._read)], values)


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
        groups = user_groups(project)
        master = _master([override.for_hydra for override in read_overrides(overrides, groups)])
        launcher = _launcher(master.hydra)
        if not _names(master.hydra.sweeper, BasicSweeper):
            return None
        rows = _rows(master)
        read = {text: read_overrides([text], groups)[0] for text in dict.fromkeys(text for row in rows for text in row)}
        for_all: Any = OmegaConf.to_container(master.hydra.overrides.hydra, resolve=False)
        layers: dict[tuple[str, ...], Layers] = {}
        grid = Grid(project, rows, read, layers, launcher)
        for choices in dict.fromkeys(_choices(row, read) for row in rows):
            layers[choices] = lay([*for_all, *choices])
            if len(layers) == 1 and launcher is None:
                first(next(iter(grid))[1])
        if _asks_hydra(layers.values(), read):
            return None
        for _, child in grid:
            child.check_overrides()
        return grid


def _master(texts: list[str]) -> DictConfig:
    """The sweep's own config: what it is composed of leaves out every override that stands for several values."""
    hydra = GlobalHydra.instance().hydra
    assert hydra is not None  # for type checkers: `hydra_for` has initialised it
    with unforeseen():
        return hydra.compose_config(PRIMARY, [*texts, "hydra.mode=MULTIRUN"], RunMode.MULTIRUN)


def _launcher(hydra: Any) -> LauncherChoice | None:
    """The launcher that was chosen; None for Hydra's basic one, in whose place children run in this process."""
    if _names(hydra.launcher, BasicLauncher):
        return None
    choice = LauncherChoice(hydra.launcher._target_, {})
    if not choice.is_ours:
        return choice
    settings: Any = OmegaConf.to_container(hydra.launcher, resolve=True)
    return choice._replace(settings={key: value for key, value in settings.items() if key != "_target_"})


def _names(node: Any, plugin: type) -> bool:
    return bool(node._target_ == f"{plugin.__module__}.{plugin.__qualname__}")


def _rows(master: DictConfig) -> Sequence[Row]:
    """Each child's overrides: the recipe's own parameters, those of the command line replacing them."""
    parameters = [f"{key}={value}" for key, value in (master.hydra.sweeper.params or {}).items()]
    typed: Any = OmegaConf.to_container(master.hydra.overrides.task, resolve=False)
    parser = OverridesParser.create(config_loader=GlobalHydra.instance().config_loader())
    (rows,) = BasicSweeper.split_arguments(parser.parse_overrides([*parameters, *typed]), None)
    return rows


def _choices(row: Row, read: Mapping[str, CommandOverride]) -> tuple[str, ...]:
    """The overrides that decide which files a child is composed of, and all others that only Hydra understands."""
    return tuple(text for text in row if not read[text].is_value)


def _asks_hydra(layers: Iterable[Layers], texts: Iterable[str]) -> bool:
    """Whether a value may be one of Hydra's resolver `hydra`, which knows a job while Hydra runs it."""
    return any(b"hydra:" in each.pickled for each in layers) or any(
        "hydra:" in text.replace("\\", "") for text in texts
    )
