"""Shapes for a model's inputs: a batch of one, and a guess wherever the model leaves a dimension open."""

from __future__ import annotations

from typing import NamedTuple

from recipekit.contracts import Description, ModelTensor

_IMAGE_SIDE = 224
_CHANNELS = 3
_STEPS = 128


class FixedInput(NamedTuple):
    """An input with every dimension said.

    Attributes:
        name: its own; empty where only the model's code tells.
        dtype: of it.
        shape: with the batch; empty where not even the rank is known.
        guessed: which dimensions besides the batch are guesses, counted from 0.
        fixes: whether any dimension was dynamic.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    guessed: tuple[int, ...]
    fixes: bool

    @property
    def sample(self) -> tuple[int, ...]:
        """Shape of one sample, without the batch."""
        return self.shape[1:]


def fixed_inputs(model: Description) -> tuple[FixedInput, ...]:
    """The inputs of a model's first signature with every dimension said."""
    return tuple(map(_fixed, model.signature.inputs))


def _fixed(tensor: ModelTensor) -> FixedInput:
    told = tensor.shape or ()
    shape = tuple(_size(told, axis) if size < 0 else size for axis, size in enumerate(told))
    guessed = tuple(axis for axis, size in enumerate(told) if axis and size < 0)
    return FixedInput(tensor.name, tensor.dtype, shape, guessed, any(size < 0 for size in told))


def _size(told: tuple[int, ...], axis: int) -> int:
    if axis == 0:
        return 1
    if len(told) == 4:
        channels_first = told[1] in {1, 3} and told[3] < 0
        return _CHANNELS if axis == (1 if channels_first else 3) else _IMAGE_SIDE
    return _STEPS


def why(inputs: tuple[FixedInput, ...]) -> tuple[str, ...]:
    """Why the shapes are as they are, a line each."""
    lines = ["one sample at a time, as devices run it; a fixed batch is what integer kernels and NPUs ask for"]
    lines += [
        f"CHECK: {given.shape[axis]} is a guess, since dimension {axis} of '{given.name}' is dynamic"
        for given in inputs
        for axis in given.guessed
    ]
    return tuple(lines)
