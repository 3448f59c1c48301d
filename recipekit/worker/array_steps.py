"""Preprocessing steps for arrays of any shape: their values, element type and axes.

Each public function takes a step's argument as the recipe has it and gives a function from array to array; both raise
ValueError or TypeError with a sentence that follows the name of the step.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from recipekit.nearest import did_you_mean
from recipekit.worker.step_arguments import integers, number, options
from recipekit.worker.tensors import NUMERIC_TYPES, Array, Transform, fits

_ELEMENT_TYPES = (*NUMERIC_TYPES, "bool")


def rescale(argument: Any) -> Transform:
    """`{scale: s, offset: o}`: x * s + o in float32; an offset left out is 0."""
    given = options(argument, required=("scale",), optional=("offset",))
    scale, offset = number(given["scale"]), number(given.get("offset", 0.0))
    return lambda array: np.asarray(_float32(array) * scale + offset)


def normalize(argument: Any) -> Transform:
    """`{mean: m, std: s}`: (x - m) / s in float32, m and s a number or one for each channel of the last axis."""
    given = options(argument, required=("mean", "std"))
    mean, std = _per_channel(given["mean"]), _per_channel(given["std"])
    if not np.all(std > 0):
        raise ValueError(f"`std` must be above 0, got {given['std']!r}")
    channels = {values.size for values in (mean, std)} - {1}
    if len(channels) > 1:
        raise ValueError(f"`mean` has {mean.size} values, `std` has {std.size}")
    return partial(_normalize_array, mean=mean, std=std, channels=max(channels, default=1))


def cast(argument: Any) -> Transform:
    """The name of an element type; floats become integers by truncation, and a value that doesn't fit is an error."""
    if argument not in _ELEMENT_TYPES:
        raise ValueError(f"there is no element type {argument!r}{did_you_mean(str(argument), _ELEMENT_TYPES)}")
    return partial(_cast_array, target=np.dtype(argument))


def reshape(argument: Any) -> Transform:
    """The new shape without batch dimension; one length may be -1."""
    shape = integers(argument)
    if any(length < -1 for length in shape) or shape.count(-1) > 1:
        raise ValueError(f"takes lengths from 0, of which one may be -1, got {argument!r}")
    return lambda array: array.reshape(shape)


def transpose(argument: Any) -> Transform:
    """The order of the axes without batch dimension."""
    axes = integers(argument)
    if sorted(axes) != list(range(len(axes))):
        raise ValueError(f"takes every axis from 0 once, got {argument!r}")
    return lambda array: np.asarray(array.transpose(axes), order="C")


def _normalize_array(array: Array, mean: Array, std: Array, channels: int) -> Array:
    if channels > 1 and (array.ndim == 0 or array.shape[-1] != channels):
        raise ValueError(f"has values for {channels} channels, but the array's shape is {array.shape}")
    normalized: Array = (_float32(array) - mean) / std
    return normalized.reshape(array.shape)


def _cast_array(array: Array, target: np.dtype[Any]) -> Array:
    if array.dtype.kind not in "biuf":
        raise ValueError(f"takes numbers, got {array.dtype}")
    if array.size and array.dtype.kind != "b" and target.kind != "b":
        low, high = array.min(), array.max()
        if target.kind in "iu":
            low, high = np.trunc(low), np.trunc(high)
        if not (fits(low, target) and fits(high, target)):
            raise ValueError(f"values from {low} to {high} don't fit {target}")
    return array.astype(target)


def _per_channel(value: Any) -> Array:
    values = value if isinstance(value, Sequence) and not isinstance(value, str) else [value]
    if not values:
        raise ValueError("takes one number or one for each channel, got an empty list")
    return np.array([number(item) for item in values], dtype=np.float32)


def _float32(array: Array) -> Array:
    if array.dtype.kind not in "biuf":
        raise ValueError(f"takes numbers, got {array.dtype}")
    return array.astype(np.float32)
