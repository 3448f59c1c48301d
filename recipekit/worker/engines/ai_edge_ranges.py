"""The ranges file of the engine `ai_edge_quantizer`: what calibration saw of each tensor, as canonical JSON.

Equal ranges give equal bytes, and every number comes back exactly as it was: a float32 is written with the fewest
digits that tell it from its neighbours, an array in base64. This module runs no model.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from recipekit import digests

Ranges = dict[str, dict[str, Any]]
"""By tensor name: `min` and `max`, arrays of one float32, and what else an algorithm collects."""

_LIMITS = ("min", "max")


def dump(ranges: Mapping[str, Mapping[str, Any]]) -> bytes:
    """The file of some ranges."""
    tensors = {name: {key: _plain(value, key) for key, value in seen.items()} for name, seen in ranges.items()}
    return digests.canonical_json({"version": 1, "tensors": tensors})


def load(data: bytes) -> Ranges:
    """The ranges of a file that `dump` wrote."""
    tensors = json.loads(data)["tensors"]
    return {name: {key: _restored(value, key) for key, value in seen.items()} for name, seen in tensors.items()}


def _plain(value: Any, key: str) -> Any:
    if key in _LIMITS:
        return float(value[0])
    if isinstance(value, int):
        return value
    array = np.ascontiguousarray(value)
    return {
        "dtype": array.dtype.name,
        "shape": list(array.shape),
        "base64": base64.b64encode(array.tobytes()).decode("ascii"),
    }


def _restored(value: Any, key: str) -> Any:
    if key in _LIMITS:
        return np.array([value], np.float32)
    if isinstance(value, int):
        return value
    array: npt.NDArray[Any] = np.frombuffer(base64.b64decode(value["base64"]), value["dtype"])
    return array.reshape(value["shape"]).copy()  # a buffer of bytes is read-only, and GPTQ works in place
