"""Whether a converted model's weights still have the zeros and the few distinct values that pruning or clustering gave.

Names of tensors change on the way into a flatbuffer, and scales of normalizations are multiplied in; so a layer's
tensor is found by its values: the one whose output channels point into the same directions.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from recipekit.contracts import LayerWeights, Promise
from recipekit.errors import OptimizationError
from recipekit.worker.flatbuffer_weights import Array, Weights

_ALIKE = 0.9
"""Least mean cosine between the channels of a layer and of its tensor; weights of 4 bits come to 0.98."""


def confirm(promises: Sequence[Promise], values: Mapping[str, Array], tensors: Sequence[Weights]) -> list[LayerWeights]:
    """What a flatbuffer holds of each promised layer.

    Args:
        promises: layer by layer.
        values: the layers' own weights, by `Promise.values`.
        tensors: the constants of the flatbuffer.

    Raises:
        OptimizationError: a layer's weights aren't there, or lack the zeros or the clusters that were promised.
    """
    return [_confirmed(promise, values[promise.values], tensors) for promise in promises]


def _confirmed(promise: Promise, values: Array, tensors: Sequence[Weights]) -> LayerWeights:
    found = _found(values, tensors)
    if found is None:
        raise _broken(promise, "none of the file's tensors holds its weights")
    tensor, channels = found
    sparsity = float(np.mean(tensor.values == 0))
    if promise.sparsity is not None and sparsity < promise.sparsity - 1.5 / values.size:
        raise _broken(promise, f"{sparsity:.1%} of its weights are zero, not {promise.sparsity:.1%}")
    distinct = max(len(np.unique(channel)) for channel in channels)
    if promise.clusters is not None and distinct > promise.clusters:
        raise _broken(promise, f"an output channel has {distinct} distinct weights, not {promise.clusters}")
    return LayerWeights(
        layer=promise.layer,
        tensor=tensor.name,
        dtype=tensor.dtype,
        count=values.size,
        sparsity=sparsity,
        distinct_values=len(np.unique(tensor.values)),
        distinct_values_per_channel=distinct,
        encoded=tensor.encoded,
        promised_sparsity=promise.sparsity,
        promised_clusters=promise.clusters,
    )


def _found(values: Array, tensors: Sequence[Weights]) -> tuple[Weights, Array] | None:
    """The tensor that holds a layer's weights, and its values as rows, a row an output channel."""
    best: tuple[float, Weights, Array] | None = None
    for tensor in tensors:
        if tensor.values.size == values.size:
            for own, rows in _layouts(values, tensor.values):
                likeness = _likeness(own, rows)
                if best is None or likeness > best[0]:
                    best = (likeness, tensor, rows)
    return None if best is None or best[0] < _ALIKE else best[1:]


def _layouts(values: Array, tensor: Array) -> Iterator[tuple[Array, Array]]:
    """Both as matrices with a row for each output channel, in every way in which TensorFlow Lite lays weights out.

    Convolutions and dense layers have their output channel last in Keras, and first in TensorFlow Lite; transposed
    convolutions have it last but one; embeddings, and constants of a plain matrix product, stay as they are.
    """
    for axis in (values.ndim - 1, values.ndim - 2):
        own = np.moveaxis(values, axis, 0).reshape(values.shape[axis], -1)
        yield own, tensor.reshape(own.shape)
    last = values.shape[-1]
    yield values.reshape(-1, last).T, tensor.reshape(-1, last).T


def _likeness(own: Array, rows: Array) -> float:
    first, second = (matrix.astype(np.float64) for matrix in (own, rows))
    norms: npt.NDArray[np.float64] = np.linalg.norm(first, axis=1) * np.linalg.norm(second, axis=1)
    products = np.abs(np.sum(first * second, axis=1))
    used = norms > 0
    return float(np.mean(products[used] / norms[used])) if used.any() else 0.0


def _broken(promise: Promise, how: str) -> OptimizationError:
    return OptimizationError(
        f"the converted model doesn't keep what was promised of the layer '{promise.layer}': {how}",
        where="optimize",
        fix="leave that layer out with `layers`, or choose another quantization",
    )
