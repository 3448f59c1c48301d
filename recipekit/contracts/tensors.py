"""Inputs and outputs of a model, by name."""

from __future__ import annotations

from recipekit.contracts.record import Record


class TensorSpec(Record, frozen=True, kw_only=True):
    """One input or output of a model.

    Attributes:
        name: the name that samples and outputs go by.
        shape: with the batch dimension; None for a dynamic dimension.
        dtype: NumPy's name of the element type (`float32`, `int32`, `bool`, `str` ...).
    """

    name: str
    shape: tuple[int | None, ...]
    dtype: str


class Signature(Record, frozen=True, kw_only=True):
    """The inputs and outputs of a model, by name; the order means nothing."""

    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
