"""Tensors of one sample: taken from what a dataset gave, named and checked against a model's inputs.

TensorFlow converts happily with samples of a wrong name, shape or element type, with NaN, and dies of infinities; so
every sample is checked here before any library sees it. This module knows nothing of where a sample came from.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from recipekit.contracts import Signature, TensorSpec
from recipekit.errors import DatasetError
from recipekit.fitting import UNNAMED, misfits, show_shape, sole_input

Array: TypeAlias = npt.NDArray[Any]
Tensors: TypeAlias = dict[str, Array]
Transform: TypeAlias = Callable[[Array], Array]

NUMERIC_TYPES = (
    *("float16", "float32", "float64"),
    *("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"),
)
"""Element types that a recipe may name for numbers."""

_KINDS = "biufcUS"


def as_tensors(value: object, place: str) -> Tensors:
    """What a dataset gave as C-ordered arrays of native byte order, by name.

    Args:
        value: a mapping of names to arrays, or a bare array, which goes by the name `UNNAMED`.
        place: what an error calls the sample.

    Raises:
        DatasetError: a name isn't a string, or a value isn't an array of numbers, truth values or strings.
    """
    named = value if isinstance(value, Mapping) else {UNNAMED: value}
    if not named:
        raise DatasetError("holds no tensor", where=place, fix="give one array for each input of the model")
    for name in named:
        if not isinstance(name, str):
            raise DatasetError(
                f"names a tensor {name!r}, which is not a string", where=place, fix="use the model's input names"
            )
    return {name: as_array(array, name, place) for name, array in named.items()}


def as_array(value: object, name: str, place: str) -> Array:
    """One value as a C-ordered array of native byte order; a copy is made only where one is needed.

    Raises:
        DatasetError: the value isn't an array of numbers, truth values or strings.
    """
    try:
        array = np.asarray(value, order="C")
    except (ValueError, TypeError) as error:
        raise DatasetError(
            f"{_call(name)} is not an array: {error}", where=place, fix="give arrays with one shape and element type"
        ) from error
    if array.dtype.kind not in _KINDS and array.dtype.name != "bfloat16":
        raise DatasetError(
            f"{_call(name)} has element type {array.dtype}",
            where=place,
            fix="give arrays of numbers, truth values or strings",
        )
    return array.astype(array.dtype.newbyteorder("="), copy=False)


def element_type(array: Array) -> str:
    """The name of an array's element type as signatures spell it: NumPy's, and `str` for strings of any length."""
    return "str" if array.dtype.kind in "US" else array.dtype.name


def fits(value: float, dtype: np.dtype[Any]) -> bool:
    """Whether an integer or float type has a number in its range; NaN and infinities are in every float type's."""
    low, high = _range(dtype)
    if math.isfinite(value):
        return low <= value <= high
    return dtype.kind == "f"


@cache
def _range(dtype: np.dtype[Any]) -> tuple[float, float]:
    if dtype.kind == "f":
        largest = float(np.finfo(dtype).max)
        return -largest, largest
    bounds = np.iinfo(dtype)
    return bounds.min, bounds.max


def fit(tensors: Tensors, signature: Signature, place: str) -> Tensors:
    """The tensors under the model's input names, in the signature's order, each checked.

    Args:
        tensors: arrays without batch dimension; a single unnamed one takes the name of the only input.
        signature: inputs with batch dimension; a dimension of None matches any length.
        place: what an error calls the sample.

    Raises:
        DatasetError: a name, shape or element type differs from the model's, or a value is NaN or infinite.
    """
    sole = sole_input(tensors, signature)
    named = tensors if sole is None else {sole: tensors[UNNAMED]}
    faults = misfits({name: (element_type(array), array.shape) for name, array in named.items()}, signature)
    if faults:
        raise DatasetError(faults[0].what, where=place, fix=faults[0].fix)
    for spec in signature.inputs:
        _check_finite(named[spec.name], spec, place)
    return {spec.name: named[spec.name] for spec in signature.inputs}


def _check_finite(array: Array, spec: TensorSpec, place: str) -> None:
    if array.dtype.kind in "biuUS":
        return
    finite = np.isfinite(array)
    if finite.all():
        return
    position = tuple(int(axis) for axis in np.unravel_index(int(np.argmin(finite)), array.shape))
    raise DatasetError(
        f"the input '{spec.name}' holds {array[position]} at {show_shape(position)}",
        where=place,
        fix="remove or repair that sample; a model can be neither calibrated nor compared with it",
    )


def _call(name: str) -> str:
    return "its array" if name == UNNAMED else f"its tensor '{name}'"
