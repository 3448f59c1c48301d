"""Gives every child of a sweep the same values of the environment variables that outputs depend on.

Engines set some of them by themselves, such as the number of threads; a child would then get another build key there.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping

from recipekit.environment import VARIABLES

_DEVICES = "CUDA_VISIBLE_DEVICES"
"""Empty where an engine has given none."""


def deciding() -> dict[str, str]:
    """The variables of this process that outputs depend on."""
    return {name: value for name, value in os.environ.items() if VARIABLES.match(name)}


def take(variables: Mapping[str, str], kept: Collection[str] = ()) -> None:
    """Gives this process, and the workers that it starts, the variables that the sweep's own process has.

    Args:
        variables: from `deciding`, there.
        kept: names of those that stay as they are here; devices that an engine has given to this process do, too.
    """
    kept = {*kept, *((_DEVICES,) if os.environ.get(_DEVICES) else ())}
    for name in [name for name in os.environ if VARIABLES.match(name) and name not in kept]:
        if name not in variables:
            del os.environ[name]
    os.environ.update({name: value for name, value in variables.items() if name not in kept})
