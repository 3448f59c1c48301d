"""Inputs and outputs of a model, by name."""

from __future__ import annotations

from collections.abc import Mapping

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


def qualified(signature: str, name: str) -> str:
    """How recipes and results name a tensor of a model with several signatures."""
    return f"{signature}/{name}"


def united(signatures: Mapping[str, Signature]) -> Signature:
    """All inputs and outputs of a model in one: by their own names, or `qualified` where it has several signatures.

    Args:
        signatures: by key, one at least.
    """
    if len(signatures) == 1:
        return next(iter(signatures.values()))
    return Signature(
        inputs=tuple(_qualified(key, spec) for key, signature in signatures.items() for spec in signature.inputs),
        outputs=tuple(_qualified(key, spec) for key, signature in signatures.items() for spec in signature.outputs),
    )


def _qualified(key: str, spec: TensorSpec) -> TensorSpec:
    return TensorSpec(name=qualified(key, spec.name), shape=spec.shape, dtype=spec.dtype)
