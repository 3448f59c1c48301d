"""Recurrent layers of either Keras: as loops over the steps of a sequence, or unrolled into steps that repeat.

TensorFlow Lite runs the loops, but the calibrator of TensorFlow 2.21 ends the process on them. Unrolled layers compute
the same with the same weights. Layers that the converter fuses into one operator (the LSTM of Keras 2) stay as they
are. This module traces and converts nothing.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any, NamedTuple

from recipekit.worker.layers import generation


class Recurrent(NamedTuple):
    """The recurrent layers of a model that aren't unrolled.

    Attributes:
        layers: names of those that need a fixed batch.
        loops: names of those that calibration doesn't survive and that can be unrolled.
        unroll: what is traced inside of it has the latter unrolled.
    """

    layers: tuple[str, ...]
    loops: tuple[str, ...]
    unroll: Callable[[], AbstractContextManager[None]]


def find(model: Any) -> Recurrent | None:
    """The recurrent layers of a Keras model, wrapped and nested ones too; None where each is unrolled already."""
    package = sys.modules[str(generation(model))]
    # The one walk that both Keras have and that enters wrappers; its name begins with an underscore in both.
    layers = [layer for layer in model._flatten_layers() if isinstance(layer, package.layers.RNN) and not layer.unroll]
    if not layers:
        return None
    loops = [layer for layer in layers if _can_be_unrolled(layer)]

    @contextmanager
    def unroll() -> Iterator[None]:
        with ExitStack() as changes:
            for layer in loops:
                changes.enter_context(_changed(layer, "unroll", True))
                if hasattr(layer, "_could_use_gpu_kernel"):  # of Keras 2: chooses a loop that knows no unrolling
                    changes.enter_context(_changed(layer, "_could_use_gpu_kernel", False))
            yield

    return Recurrent(_names(layers), _names(loops), unroll)


def _can_be_unrolled(layer: Any) -> bool:
    """Whether the layer may be written out: not if it is fused, convolves in Keras 2, or remembers its last state."""
    if layer.stateful:
        return False
    if generation(layer) == "keras":
        return True
    kinds = {kind.__name__ for kind in type(layer).__mro__}
    fused = "LSTM" in kinds and getattr(layer, "_could_use_gpu_kernel", False)
    return not fused and "ConvRNN" not in kinds


@contextmanager
def _changed(layer: Any, attribute: str, value: bool) -> Iterator[None]:
    before = getattr(layer, attribute)
    setattr(layer, attribute, value)
    try:
        yield
    finally:
        setattr(layer, attribute, before)


def _names(layers: list[Any]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(str(layer.name) for layer in layers))
