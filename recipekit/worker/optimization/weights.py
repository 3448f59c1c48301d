"""Which weights of a Keras model pruning and clustering are about: those of its matrix products and its embeddings.

The table is that of tensorflow-model-optimization, which leaves out depthwise kernels, biases and normalizations: they
are few, and losing some of them costs much. It knows both generations of Keras and changes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from recipekit.errors import OptimizationError

_WEIGHTS = {
    "Conv1D": "kernel",
    "Conv2D": "kernel",
    "Conv2DTranspose": "kernel",
    "Conv3D": "kernel",
    "Conv3DTranspose": "kernel",
    "Dense": "kernel",
    "Embedding": "embeddings",
    "SeparableConv1D": "pointwise_kernel",
    "SeparableConv2D": "pointwise_kernel",
}
_WITHOUT = frozenset({"DepthwiseConv1D", "DepthwiseConv2D"})
_KERAS = ("keras.", "tf_keras.")
_SHOWN = 20

Array = npt.NDArray[Any]


class LayerWeight(NamedTuple):
    """One weight tensor of one layer.

    Attributes:
        layer: the layer's name.
        name: the tensor's name in the layer, such as `kernel`.
        variable: of the layer.
    """

    layer: str
    name: str
    variable: Any

    @property
    def key(self) -> str:
        """What the tensor is called where those of all layers stand together."""
        return f"{self.layer}/{self.name}"

    @property
    def values(self) -> Array:
        """A copy of its values."""
        return np.array(self.variable)


def weight_name(layer: Any) -> str | None:
    """The name of the weight tensor that can be pruned or clustered; None for a layer that has none."""
    for base in type(layer).__mro__:
        if base.__module__.startswith(_KERAS) and base.__name__ in _WITHOUT:
            return None
        if base.__module__.startswith(_KERAS) and base.__name__ in _WEIGHTS:
            return _WEIGHTS[base.__name__]
    return None


def select(model: Any, pattern: str, step: str) -> list[LayerWeight]:
    """The weights of the layers whose whole name matches a regular expression.

    Args:
        model: a built Keras model of either generation; layers inside of layers count.
        pattern: the regular expression.
        step: the recipe's key of what is done with them.

    Raises:
        OptimizationError: none of the layers that have such weights matches; their names are in the message.
    """
    known = list(_all(model))
    chosen = [weight for weight in known if re.fullmatch(pattern, weight.layer)]
    if not chosen:
        names = [weight.layer for weight in known]
        rest = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
        raise OptimizationError(
            f"no layer with weights to change matches '{pattern}'",
            where=f"optimize.{step}.layers",
            fix=f"the whole name must match; its layers are {', '.join(names[:_SHOWN]) or '(none)'}{rest}",
        )
    return chosen


def _all(model: Any) -> Iterator[LayerWeight]:
    seen: set[int] = set()
    for layer in model._flatten_layers(include_self=False):
        name = weight_name(layer)
        if name is not None and layer.built and id(layer) not in seen:
            seen.add(id(layer))
            yield LayerWeight(layer.name, name, getattr(layer, name))
