"""What a Keras file gives is told by its configuration, also where old files keep no shapes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from recipekit.worker.keras_file import KerasFile
from recipekit.worker.keras_structure import outputs

INPUT = ("InputLayer", {"batch_input_shape": [None, 8, 8, 3]})


def given(*kinds: tuple[str, dict[str, Any]]) -> tuple[int, ...] | None:
    """The shape that a chain of layers gives, as Keras 2 writes a functional model."""
    names = [f"layer_{at}" for at in range(len(kinds))]
    nodes: list[dict[str, Any]] = [
        {
            "class_name": kind,
            "name": name,
            "config": config | {"name": name},
            "inbound_nodes": [[[names[at - 1], 0, 0, {}]]] if at else [],
        }
        for at, (name, (kind, config)) in enumerate(zip(names, kinds, strict=True))
    ]
    inner: dict[str, Any] = {"layers": nodes, "input_layers": [[names[0], 0, 0]], "output_layers": [[names[-1], 0, 0]]}
    file = KerasFile(Path("m.h5"), "h5", "2.4.0", {"class_name": "Functional", "config": inner}, {})
    (tensor,) = outputs(file)
    return tensor.shape


@pytest.mark.parametrize("rows", ["Flatten", "GlobalAveragePooling2D", "GlobalMaxPooling1D"])
def test_a_row_of_units_follows_layers_that_give_rows(rows: str) -> None:
    dense = ("Dense", {"units": 2})
    assert given(INPUT, ("Conv2D", {"filters": 4}), (rows, {}), dense) == (-1, 2)
    assert given(INPUT, (rows, {}), ("Dense", {"units": 9}), ("Dropout", {}), dense, ("Softmax", {})) == (-1, 2)
    assert given(INPUT, dense) == (-1, 8, 8, 2)


def test_what_no_configuration_tells_stays_open() -> None:
    dense = ("Dense", {"units": 2})
    assert given(INPUT, ("Conv2D", {"filters": 4}), dense) is None
    assert given(INPUT, ("GlobalAveragePooling2D", {"keepdims": True}), dense) is None
    assert given(INPUT, ("Mine", {}), dense) is None
    assert given(("InputLayer", {"batch_input_shape": [None, 4]}), *[dense] * 2000) is None
