"""The ranges file: exact, and the same bytes for the same ranges."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from recipekit.worker.engines.ai_edge_ranges import dump, load
from tests.properties import at_most

NUMBERS = st.floats(width=32, allow_nan=False, allow_infinity=False)
MATRICES = arrays.arrays(st.sampled_from([np.float32, np.float64]), (2, 3), elements=NUMBERS)


@settings(max_examples=at_most(25))
@given(st.dictionaries(st.text(max_size=8), st.tuples(NUMBERS, NUMBERS, MATRICES, st.integers(0, 2**40))))
def test_every_number_comes_back_as_it_was(seen: dict[str, tuple[float, float, npt.NDArray[Any], int]]) -> None:
    ranges = {
        name: {
            "min": np.array([low], np.float32),
            "max": np.array([high], np.float32),
            "hessian": matrix,
            "num_samples": count,
        }
        for name, (low, high, matrix, count) in seen.items()
    }
    data = dump(ranges)
    again = load(data)
    assert again.keys() == ranges.keys()
    for name, values in ranges.items():
        for key, value in values.items():
            np.testing.assert_array_equal(again[name][key], value)
        assert again[name]["hessian"].dtype == seen[name][2].dtype
    assert dump(again) == data
    assert dump(dict(reversed(ranges.items()))) == data
