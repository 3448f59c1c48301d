"""Whether a sample's tensors are those that a model takes: their names, element types and shapes.

The same rules serve the linter, which looks at records in the parent process, and every reading of samples in a worker.
They know descriptions alone, no arrays and no datasets.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import NamedTuple, TypeAlias

from recipekit.contracts import Signature, TensorSpec
from recipekit.nearest import did_you_mean

Shape: TypeAlias = tuple[int, ...]
Described: TypeAlias = Mapping[str, tuple[str, Shape]]
"""Element type and shape without batch dimension by tensor name."""

UNNAMED = ""
"""The name of a bare array until a signature names it."""

_COLOURS = (1, 3, 4)


class Misfit(NamedTuple):
    """Why a sample can't go into a model.

    Attributes:
        finding: the short name of this kind of fault, as docs/calibration.md lists them.
        what: the fault, expected against got.
        fix: what the user can do about it.
    """

    finding: str
    what: str
    fix: str


def sole_input(tensors: Mapping[str, object], signature: Signature) -> str | None:
    """The name that a sample's single unnamed tensor takes: that of the only input; None where names stand."""
    names = [spec.name for spec in signature.inputs]
    return names[0] if list(tensors) == [UNNAMED] and len(names) == 1 else None


def misfits(tensors: Described, signature: Signature) -> list[Misfit]:
    """What keeps a sample out of a model; empty where it fits.

    Args:
        tensors: the sample's; a single unnamed one is that of the only input.
        signature: inputs with batch dimension; a dimension of None matches any length.
    """
    sole = sole_input(tensors, signature)
    named = tensors if sole is None else {sole: tensors[UNNAMED]}
    faults = list(_name_faults(named, [spec.name for spec in signature.inputs]))
    for spec in signature.inputs:
        if spec.name in named:
            dtype, shape = named[spec.name]
            faults += _shape_faults(shape, spec)
            faults += _dtype_faults(dtype, spec)
    return faults


def _name_faults(tensors: Described, names: list[str]) -> Iterator[Misfit]:
    if list(tensors) == [UNNAMED] and names != [UNNAMED]:
        yield Misfit(
            "input-names",
            f"is one array without a name, but the model has {len(names)} inputs: {', '.join(names)}",
            "give a mapping of input names to arrays",
        )
        return
    missing = [name for name in names if name not in tensors]
    faults = [f"lacks the input '{name}'" for name in missing]
    faults += [
        f"holds '{name}', which is no input of the model{did_you_mean(name, missing)}"
        for name in tensors
        if name not in names
    ]
    if faults:
        yield Misfit("input-names", ", ".join(faults), f"name its tensors {', '.join(names)}")


def _dtype_faults(got: str, spec: TensorSpec) -> Iterator[Misfit]:
    if got == spec.dtype:
        return
    cure = "give an array of strings" if spec.dtype == "str" else f"add `{{cast: {spec.dtype}}}` to `preprocess`"
    if got == "uint8" and spec.dtype.startswith("float"):
        cure += ", or `{rescale: {scale: ..., offset: ...}}` if the model was trained on scaled pixels"
    yield Misfit(
        "input-dtype", f"the input '{spec.name}' has a wrong element type: expected {spec.dtype}, got {got}", cure
    )


def _shape_faults(got: Shape, spec: TensorSpec) -> Iterator[Misfit]:
    expected = spec.shape[1:]
    if _matches(got, expected):
        return
    finding, why, cure = next(_diagnoses(got, expected))
    sizes = f"expected{' shape' if why else ''} {show_shape(expected)}, got {show_shape(got)}"
    yield Misfit(finding, f"the input '{spec.name}' has {why or 'a wrong shape'}: {sizes}", cure)


def _diagnoses(got: Shape, expected: tuple[int | None, ...]) -> Iterator[tuple[str, str, str]]:
    """Finding, cause and cure of a wrong shape, the likeliest first; the last one has no cause."""
    if got and _matches(got[1:], expected):
        cure = "give one sample at a time without the batch dimension"
        if got[0] == 1:
            cure += f", or add `{{reshape: {list(got[1:])}}}` to `preprocess`"
        yield "batch-dimension", "an extra leading batch dimension", cure
    for place in (len(got), 0):
        if len(got) > 1 and _matches((*got[:place], 1, *got[place:]), expected):
            whole = [*got[:place], 1, *got[place:]]
            yield "channel-axis", "no channel axis", f"add `{{reshape: {whole}}}` to `preprocess`"
    if len(got) > 2 and 1 in (got[-1], got[0]) and _matches(tuple(n for n in got if n != 1), expected):
        whole = [length for length in got if length != 1]
        yield "channel-axis", "a channel axis too many", f"add `{{reshape: {whole}}}` to `preprocess`"
    if len(got) == 3 and got[0] in _COLOURS and _matches((*got[1:], got[0]), expected):
        cure = "add `{transpose: [1, 2, 0]}` to `preprocess`"
        yield "channel-order", "its channels first (NCHW) where the model takes them last (NHWC)", cure
    if len(got) == 3 and got[2] in _COLOURS and _matches((got[2], *got[:2]), expected):
        cure = "add `{transpose: [2, 0, 1]}` to `preprocess`"
        yield "channel-order", "its channels last (NHWC) where the model takes them first (NCHW)", cure
    yield "input-shape", "", _reshaped(got, expected)


def _reshaped(got: Shape, expected: tuple[int | None, ...]) -> str:
    """The step that gives the expected shape, where it can be told."""
    known = [length for length in expected if length is not None]
    if len(got) == len(expected) == len(known) == 3:
        if got[:2] == expected[:2] and {got[2], expected[2]} <= {1, 3}:
            return f"add `{{channels: {expected[2]}}}` to `preprocess`"
        if got[2] == expected[2] in _COLOURS:
            return f"add `{{resize: {known[:2]}}}` to `preprocess`, or `{{center_crop: {known[:2]}}}`"
    if len(known) == len(expected) and math.prod(known) == math.prod(got):
        return f"add `{{reshape: {known}}}` to `preprocess`, if the values are in that order"
    return "bring it to that shape with `preprocess`: resize, center_crop, channels, reshape or transpose"


def _matches(shape: Shape, expected: tuple[int | None, ...]) -> bool:
    return len(shape) == len(expected) and all(
        known is None or length == known for length, known in zip(shape, expected, strict=True)
    )


def show_shape(shape: tuple[int | None, ...]) -> str:
    """A shape as messages write it, `any` for a dynamic dimension."""
    return f"({', '.join('any' if length is None else str(length) for length in shape)})"
