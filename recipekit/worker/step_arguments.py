"""Arguments of preprocessing steps: what a recipe wrote, checked and typed.

Each function raises ValueError or TypeError with a sentence that follows the name of the step.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from recipekit.nearest import did_you_mean


def options(argument: Any, required: tuple[str, ...], optional: tuple[str, ...] = ()) -> dict[str, Any]:
    """A mapping that holds every required option and none but these."""
    if not isinstance(argument, Mapping):
        raise TypeError(f"takes a mapping with {', '.join(required)}, got {argument!r}")
    unknown = [key for key in argument if key not in (*required, *optional)]
    missing = [key for key in required if key not in argument]
    if unknown:
        raise ValueError(f"has no option '{unknown[0]}'{did_you_mean(str(unknown[0]), (*required, *optional))}")
    if missing:
        raise ValueError(f"lacks `{missing[0]}`")
    return dict(argument)


def integers(value: Any) -> tuple[int, ...]:
    """A list of whole numbers."""
    whole = isinstance(value, Sequence) and all(isinstance(item, int) and not isinstance(item, bool) for item in value)
    if not whole:
        raise ValueError(f"takes a list of integers, got {value!r}")
    return tuple(value)


def height_and_width(value: Any) -> tuple[int, int]:
    """Two lengths in pixels, height first."""
    lengths = integers(value)
    if len(lengths) != 2 or min(lengths) < 1:
        raise ValueError(f"takes a height and a width from 1, got {value!r}")
    return lengths[0], lengths[1]


def number(value: Any) -> np.float32:
    """A finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not np.isfinite(value):
        raise ValueError(f"takes finite numbers, got {value!r}")
    return np.float32(value)
