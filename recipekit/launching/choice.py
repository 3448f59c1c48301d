"""From `hydra/launcher=NAME` to the launcher of that name; an engine's library is imported only where it is chosen."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from importlib import import_module
from typing import Any

from recipekit.launching.contract import Launcher
from recipekit.project import Project


def open_launcher(target: str, settings: Mapping[str, Any], project: Project) -> AbstractContextManager[Launcher]:
    """The launcher that a sweep's configuration names.

    Args:
        target: its class, `recipekit.launching.MODULE.CLASS`, as the packaged option says.
        settings: the other keys below `hydra.launcher`; the class takes them by name, and the project as `project`.
        project: of the children.

    Raises:
        UsageError: a setting doesn't fit.
        EnvironmentFault: the engine's library isn't installed.
    """
    module, _, name = target.rpartition(".")
    opened: AbstractContextManager[Launcher] = getattr(import_module(module), name)(project=project, **settings)
    return opened
