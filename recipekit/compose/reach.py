"""Which keys of Hydra's own configuration recipes and the command line may set, and which groups they choose from.

Hydra runs code that its configuration names before a recipe is even validated. So a recipe may set Hydra's mode, plain
parameters of a sweeper, and choose the launcher and the sweeper by name. All else of Hydra's is refused, however it is
written.
"""

from __future__ import annotations

import re
from typing import Any

GROUPS = (
    "source",
    "custom_layers",
    "optimize",
    "representative_dataset",
    "converter",
    "evaluation",
    "acceptance",
    "artifacts",
)
"""The groups of the language; the primary config holds a place for each."""

CHOOSABLE = ("hydra/launcher", "hydra/sweeper")
"""Hydra's own groups that a recipe and the command line may choose from."""

_SWEEPER_KEYS = {
    "params",
    "max_batch_size",
    "direction",
    "objectives",
    "n_trials",
    "n_jobs",
    "sampler",
    "n_startup_trials",
    "seed",
    "study_name",
    "storage",
}
_SWEEPER_MAPPINGS = {"params", "objectives"}

_HYDRA = re.compile(r"(^|[/@]|_global_.)hydra($|[./@])")  # Hydra drops what stands before `_global_` in a package


def is_hydras(address: str) -> bool:
    """Whether a key, a group or a package, or one behind an `@`, lies in Hydra's own configuration."""
    return _HYDRA.search(address) is not None


def closed_keys(hydra: Any) -> tuple[str, ...] | None:
    """Path below `hydra` of the first thing that a recipe must not set there, or None.

    Args:
        hydra: what the recipe holds under `hydra`, interpolations as they are written.
    """
    if not isinstance(hydra, dict):
        return ()
    for name, value in hydra.items():
        if name == "sweeper":
            if not isinstance(value, dict):
                return ("sweeper",)
            for key, setting in value.items():
                holds_many = key in _SWEEPER_MAPPINGS and _are_plain(setting)
                if key not in _SWEEPER_KEYS or not (_is_plain(setting) or holds_many):
                    return ("sweeper", str(key))
        elif name != "mode" or not _is_plain(value):
            return (str(name),)
    return None


def _are_plain(params: Any) -> bool:
    return isinstance(params, dict) and all(
        _is_plain(value) or (isinstance(value, list) and all(map(_is_plain, value))) for value in params.values()
    )


def _is_plain(value: Any) -> bool:
    """Whether a value is a scalar that stands for itself; an interpolation may stand for a mapping that names code."""
    return not isinstance(value, dict | list) and "${" not in str(value)
