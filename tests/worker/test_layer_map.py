from __future__ import annotations

from pathlib import Path

import pytest

from recipekit.contracts import FloatOperators, SourceLayer
from recipekit.worker.census import operators_of
from recipekit.worker.layer_map import float_places

pytestmark = pytest.mark.tensorflow


def _node(flatbuffer: bytes, op: str) -> str:
    (name,) = (site.outputs[0].split(";")[0] for site in operators_of(flatbuffer) if site.op == op)
    return name


def test_float_operators_among_others_go_by_their_layer_or_else_by_their_node(measured_models: Path) -> None:
    flatbuffer = (measured_models / "mixed.tflite").read_bytes()
    greater, mul = _node(flatbuffer, "GREATER"), _node(flatbuffer, "MUL")
    layer = SourceLayer(name="above", kind="Threshold", weighted=False, scopes=(greater,))
    assert float_places(flatbuffer, [layer]) == (
        FloatOperators(op="GREATER", places=("above (Threshold)",)),
        FloatOperators(op="MUL", places=(mul,)),
    )
    assert float_places(flatbuffer, ()) == (
        FloatOperators(op="GREATER", places=(greater,)),
        FloatOperators(op="MUL", places=(mul,)),
    )


@pytest.mark.parametrize("name", ["float32", "dynamic_range", "float16", "int8", "int16x8"])
def test_a_file_all_in_float_or_all_in_integers_has_no_places(measured_models: Path, name: str) -> None:
    assert float_places((measured_models / f"{name}.tflite").read_bytes(), ()) == ()
