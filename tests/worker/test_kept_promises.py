"""A layer's tensor is found by what it holds, in whatever way it is laid out and scaled."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from recipekit.contracts import LayerWeights, Promise
from recipekit.errors import OptimizationError
from recipekit.worker.flatbuffer_weights import Weights
from recipekit.worker.kept_promises import confirm

Array = npt.NDArray[Any]


def kernel(*shape: int, clusters: int = 5) -> Array:
    """Half of it zeros, and so many distinct values with them."""
    draw = np.random.default_rng(0)
    values: Array = draw.choice(draw.normal(size=clusters - 1), shape)
    values.reshape(-1)[draw.permutation(values.size)[: values.size // 2]] = 0
    return values


def tensor(values: Array, name: str = "it") -> Weights:
    return Weights(name, "float32", values, encoded=False)


def confirmed(own: Array, *tensors: Array, sparsity: float | None = 0.5, clusters: int | None = None) -> LayerWeights:
    promise = Promise(layer="mix", weight="kernel", values="k", sparsity=sparsity, clusters=clusters)
    others = [tensor(values, f"tensor {index}") for index, values in enumerate(tensors)]
    (layer,) = confirm([promise], {"k": own}, others)
    return layer


def integers(values: Array, bits: int = 8) -> Array:
    """A row an output channel, each with the scale that its largest value asks for."""
    limit = 2 ** (bits - 1) - 1
    scales = np.abs(values).reshape(len(values), -1).max(axis=1) / limit
    return np.asarray(np.rint(values / scales.reshape(-1, *[1] * (values.ndim - 1))), np.int8)


DENSE, CONV, TRANSPOSED, EMBEDDING = kernel(12, 8), kernel(3, 3, 4, 8), kernel(3, 3, 8, 4), kernel(20, 6)
LAYOUTS = {
    "dense": (DENSE, DENSE.T),
    "matrix product": (DENSE, DENSE),
    "convolution": (CONV, np.moveaxis(CONV, 3, 0)),
    "transposed convolution": (TRANSPOSED, np.moveaxis(TRANSPOSED, 2, 0)),
    "convolution over time": (kernel(3, 4, 8), np.moveaxis(kernel(3, 4, 8), 2, 0)[:, None]),
    "embedding": (EMBEDDING, EMBEDDING),
}


@pytest.mark.parametrize(("own", "file"), LAYOUTS.values(), ids=list(LAYOUTS))
def test_a_layer_is_found_in_the_layout_of_its_operator(own: Array, file: Array) -> None:
    other = np.random.default_rng(1).normal(size=file.shape)
    layer = confirmed(own, other, file, clusters=5)
    assert (layer.tensor, layer.sparsity, layer.count) == ("tensor 1", 0.5, own.size)
    assert layer.distinct_values <= 5


@pytest.mark.parametrize("bits", [8, 4])
def test_a_layer_is_found_among_integers_and_behind_the_scales_of_a_normalization(bits: int) -> None:
    scaled = np.moveaxis(CONV, 3, 0) * np.linspace(-2, 3, 8).reshape(8, 1, 1, 1)
    layer = confirmed(CONV, integers(scaled, bits), clusters=5)
    assert layer.distinct_values_per_channel <= 5
    assert layer.sparsity >= 0.5


def test_zeros_that_got_lost_are_told_with_both_shares() -> None:
    with pytest.raises(OptimizationError, match=r"layer 'mix': 50\.0% of its weights are zero, not 60\.0%"):
        confirmed(DENSE, DENSE.T, sparsity=0.6)


def test_clusters_that_got_lost_are_told_with_both_numbers() -> None:
    with pytest.raises(OptimizationError, match=r"layer 'mix': an output channel has \d distinct weights, not 3"):
        confirmed(DENSE, DENSE.T, sparsity=None, clusters=3)


def test_a_layer_that_is_not_in_the_file_is_told() -> None:
    with pytest.raises(OptimizationError, match="none of the file's tensors holds its weights"):
        confirmed(DENSE, np.random.default_rng(2).normal(size=(8, 12)))
