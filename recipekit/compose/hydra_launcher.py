"""Calls a launcher plugin of Hydra's directly, for some of a sweep's children.

Hydra's sweeper would call it once for all of them, and raise the first error. This module knows neither what a child
does nor what becomes of one that is lost.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from hydra._internal.callbacks import Callbacks
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.plugins import Plugins
from hydra.core.utils import JobStatus
from hydra.types import HydraContext, RunMode

from recipekit.compose.folders import user_groups
from recipekit.compose.overrides import read_overrides, sweep_folder
from recipekit.compose.session import PRIMARY, hydra_for
from recipekit.project import Project


class HydraLauncher:
    """The launcher that a sweep's overrides choose among Hydra's plugins."""

    def __init__(self, project: Project, overrides: Sequence[str], rows: Sequence[Sequence[str]], folder: Path) -> None:
        """Starts nothing yet.

        Args:
            project: where the recipes are.
            overrides: the command line's, those that stand for several values among them.
            rows: the overrides of each child by its number, as Hydra takes them.
            folder: Hydra's working folder of the sweep.
        """
        self._project = project
        self._overrides = overrides
        self._rows = rows
        self._folder = folder

    def launch(self, numbers: Sequence[int], child: Callable[[int], None]) -> None:
        """Has some children run, and returns when the launcher says that they have ended.

        Args:
            numbers: of the children.
            child: runs one, given its number, in whatever process the launcher chooses; picklable.

        Raises:
            Exception: whatever the launcher, or a child of it, raises.
        """
        with hydra_for(self._project):
            hydra = GlobalHydra.instance().hydra
            assert hydra is not None  # for type checkers: `hydra_for` has initialised it
            groups = user_groups(self._project)
            texts = [override.for_hydra for override in read_overrides(self._overrides, groups)]
            texts += ["hydra.mode=MULTIRUN", sweep_folder(self._folder)]
            config = hydra.compose_config(PRIMARY, texts, RunMode.MULTIRUN)
            launcher = Plugins.instance().instantiate_launcher(
                hydra_context=HydraContext(config_loader=hydra.config_loader, callbacks=Callbacks()),
                task_function=_Numbered(numbers, child),
                config=config,
            )
            for job in launcher.launch([self._rows[number] for number in numbers], initial_job_idx=0):
                if job.status is JobStatus.FAILED:
                    raise job._return_value


class _Numbered:
    """What Hydra runs as each job: the child whose turn that is."""

    def __init__(self, numbers: Sequence[int], child: Callable[[int], None]) -> None:
        self._numbers = numbers
        self._child = child

    def __call__(self, _: object) -> None:
        self._child(self._numbers[HydraConfig.get().job.num])
