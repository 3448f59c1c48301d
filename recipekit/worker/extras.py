"""Packages that recipekit installs only when asked for: imported where they are used; a missing one names its extra.

It knows no plugin; which extra a package belongs to is said by whoever needs it.
"""

from __future__ import annotations

import importlib
from types import ModuleType

from recipekit.errors import EnvironmentFault


def require(module: str, extra: str, user: str) -> ModuleType:
    """A module of an optional package, imported now.

    Args:
        module: its dotted name.
        extra: of recipekit's own, the one that installs it.
        user: what needs it, such as "the metric 'bleu'".

    Raises:
        EnvironmentFault: it isn't installed, or can't be imported.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise EnvironmentFault(
            f"{user} needs the package '{module.partition('.')[0]}': {error}",
            fix=f"pip install 'recipekit[{extra}]'",
        ) from error
