from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from recipekit.worker.optimization.one_shot import pruned

WEIGHTS = arrays.arrays(
    np.float32,
    arrays.array_shapes(max_dims=4, max_side=5),
    elements=st.floats(-2, 2, width=32).filter(lambda value: value != 0),
)


@given(WEIGHTS, st.floats(0.01, 0.99))
def test_exactly_the_share_of_the_smallest_weights_becomes_zero(values: np.ndarray, sparsity: float) -> None:
    result = pruned(values, sparsity)
    gone = result == 0
    assert np.count_nonzero(gone) == round(values.size * sparsity)
    assert (result[~gone] == values[~gone]).all()
    if gone.any() and not gone.all():
        assert np.abs(values[gone]).max() <= np.abs(values[~gone]).min()


@given(WEIGHTS, st.floats(0.01, 0.99))
def test_pruning_twice_is_pruning_once(values: np.ndarray, sparsity: float) -> None:
    once = pruned(values, sparsity)
    assert (pruned(once, sparsity) == once).all()


def test_of_equal_weights_the_first_ones_go() -> None:
    assert pruned(np.ones((2, 2), np.float32), 0.5).tolist() == [[0, 0], [1, 1]]
