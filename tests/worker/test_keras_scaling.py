"""What Keras models say themselves of the values that they take."""

from __future__ import annotations

import json

import pytest

from tests.built_models import script_of_models

pytestmark = pytest.mark.tensorflow


def test_the_scaling_layer_behind_an_input_is_read_in_either_keras() -> None:
    found = json.loads(script_of_models("scaled_models"))
    assert found.keys() == {"keras", "tf_keras"}
    deviation = (4 + 200 / 3) ** 0.5
    for models in found.values():
        assert models == {
            "rescaling": [["pixels", "Rescaling", 0.003922, 0.0]],
            "augmented": [["pixels", "Rescaling", 0.003922, 0.0]],
            "nested": [["inner", "Rescaling", 2.0, 1.0]],
            "normalization": [["adapted", "Normalization", round(1 / deviation, 6), round(-20 / deviation, 6)]],
            "branched": [],
            "convolution": [],
            "untrained": [],
            "batch normalization": [["trained", "BatchNormalization", 0.25, -1.25]],
        }
