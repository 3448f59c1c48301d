"""Children of a sweep as rows of overrides, and how one is composed of its row.

Hydra composes every child twice, from its files. Here the files are merged once for each combination of options, and a
child is a copy of the result, in which Hydra's own function overrides values. A sweeper decides which rows there are.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from hydra._internal.core_plugins.basic_launcher import BasicLauncher
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from recipekit.compose.composition import Composition
from recipekit.compose.folders import user_groups
from recipekit.compose.layers import Layers, merge_layers, python_errors_as_hydras
from recipekit.compose.overrides import read_overrides
from recipekit.compose.reach import is_hydras
from recipekit.compose.refusals import hydra_errors
from recipekit.compose.session import PRIMARY, hydra_for
from recipekit.project import Project

Row = Sequence[str]
"""A child's overrides as Hydra takes them."""

_READ = 4096
"""Overrides that are remembered as they were read, some kilobytes each; any other is read again for each child."""

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


class Rows:
    """Composes the children of one sweep."""

    def __init__(self, project: Project, for_all: Sequence[str]) -> None:
        """Reads nothing yet.

        Args:
            project: where the recipes are.
            for_all: the overrides of Hydra's own configuration, which all children share.
        """
        self._project = project
        self._for_all = for_all
        groups = user_groups(project)
        self._read = lru_cache(_READ)(lambda text: read_overrides([text], groups)[0])
        self._layers: dict[tuple[str, ...], Layers] = {}
        self._asks_hydra = False

    def add(self, row: Row) -> None:
        """Merges the files that a row is composed of, where no row before had the same.

        Raises:
            UsageError, CompositionError, ForbiddenKey: Hydra can't compose them.
        """
        self._asks_hydra |= any("hydra:" in text.replace("\\", "") for text in row)
        choices = self._choices(row)
        if choices not in self._layers:
            with hydra_for(self._project), hydra_errors(self._project):
                self._layers[choices] = merge_layers([*self._for_all, *choices])

    def child(self, row: Row) -> Composition:
        """The child of a row that was added."""
        overrides = [self._read(text) for text in row]
        values = tuple(override.parsed for override in overrides if override.is_value)
        theirs = tuple(override for override in overrides if not is_hydras(override.key))
        return Composition(self._project, theirs, self._layers[self._choices(row)], values)

    def asks_hydra(self) -> bool:
        """Whether a value may be one of Hydra's resolver `hydra`, which knows a job while Hydra runs it."""
        return self._asks_hydra or any(b"hydra:" in each.pickled for each in self._layers.values())

    def _choices(self, row: Row) -> tuple[str, ...]:
        """The overrides that decide which files a child is composed of, and others that only Hydra understands."""
        return tuple(text for text in row if not self._read(text).is_value)


def master_config(texts: Sequence[str]) -> DictConfig:
    """The sweep's own config: what it is composed of leaves out every override that stands for several values.

    Args:
        texts: the command line's overrides as Hydra takes them, in a Hydra that is initialised for the project.
    """
    hydra = GlobalHydra.instance().hydra
    assert hydra is not None  # for type checkers: `hydra_for` has initialised it
    with python_errors_as_hydras():
        return hydra.compose_config(PRIMARY, [*texts, "hydra.mode=MULTIRUN"], RunMode.MULTIRUN)


def rows_of(project: Project, master: DictConfig) -> Rows:
    """What composes the children of a sweep, given its own config."""
    for_all: Any = OmegaConf.to_container(master.hydra.overrides.hydra, resolve=False)
    return Rows(project, for_all)


def launcher_of(master: DictConfig) -> LauncherChoice | None:
    """The launcher that was chosen; None for Hydra's basic one, in whose place children run in this process."""
    if is_plugin(master.hydra.launcher, BasicLauncher):
        return None
    choice = LauncherChoice(master.hydra.launcher._target_, {})
    if not choice.is_ours:
        return choice
    settings: Any = OmegaConf.to_container(master.hydra.launcher, resolve=True)
    return choice._replace(settings={key: value for key, value in settings.items() if key != "_target_"})


def is_plugin(node: Any, plugin: type) -> bool:
    """Whether a node of Hydra's configuration names a plugin of Hydra's own."""
    return bool(node._target_ == f"{plugin.__module__}.{plugin.__qualname__}")


def swept_overrides(master: DictConfig) -> list[Override]:
    """The sweep's overrides, read: the recipe's own parameters, then the command line's, which replace those."""
    parameters = [f"{key}={value}" for key, value in (master.hydra.sweeper.params or {}).items()]
    typed: Any = OmegaConf.to_container(master.hydra.overrides.task, resolve=False)
    parser = OverridesParser.create(config_loader=GlobalHydra.instance().config_loader())
    return list(parser.parse_overrides([*parameters, *typed]))
