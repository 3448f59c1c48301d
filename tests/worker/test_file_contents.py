"""A file is read for what it is; damage ends in one error."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from hypothesis import given, settings
from hypothesis import strategies as st

from recipekit import digests
from recipekit.contracts import BUILD_KEY_ENTRY, BUILD_KEY_PLACEHOLDER
from recipekit.errors import SourceError
from recipekit.worker.build_key_place import place_in
from recipekit.worker.file_contents import contents_of
from tests.models import built_flatbuffers as built
from tests.models.edits import rewritten
from tests.properties import at_most

WHOLE = built.classifier()


def test_a_file_says_its_signature_its_operators_and_its_constants(tmp_path: Path) -> None:
    path = built.write(tmp_path / "m.tflite", WHOLE)
    found = contents_of(path)
    assert (found.sha256, found.size, found.subgraphs) == (digests.of_file(path), len(WHOLE), 1)
    (signature,) = found.signatures
    assert (signature.key, [it.name for it in signature.inputs]) == ("serving_default", ["x"])
    assert [(it.name, it.dtype, it.shape) for it in signature.outputs] == [("scores", "float32", (1, 8))]
    assert [(it.op, it.name, it.bytes) for it in found.operators] == [
        ("FULLY_CONNECTED", "hidden", 64 * 32 * 4),
        ("FULLY_CONNECTED", "logits", 32 * 8 * 4),
        ("SOFTMAX", "probabilities", 0),
    ]
    assert found.operators[0].dtypes == "float32, float32, - → float32"
    assert found.constant_bytes == (64 * 32 + 32 * 8) * 4


def test_a_constant_that_operators_share_counts_once(tmp_path: Path) -> None:
    graph = built.Graph()
    x, table = graph.input("x", (1, 4)), graph.constant("table", np.ones((1, 4), np.float32))
    once = graph.add("MUL", "once", [x, table], (1, 4))
    twice = graph.add("MUL", "twice", [once, table], (1, 4))
    found = contents_of(built.write(tmp_path / "m.tflite", graph.finish({"y": twice})))
    assert [operator.bytes for operator in found.operators] == [16, 0]
    assert found.constant_bytes == 16


def test_a_scale_that_is_no_number_is_damage(tmp_path: Path) -> None:
    def spoil(model: Any) -> None:
        model.subgraphs[0].tensors[1].quantization = quantization = schema.QuantizationParametersT()
        quantization.scale, quantization.zeroPoint = [float("nan")], [0]

    plain = built.write(tmp_path / "plain.tflite", WHOLE)
    with pytest.raises(SourceError, match="damaged"):
        contents_of(rewritten(plain, tmp_path / "m.tflite", spoil))


def test_channels_have_their_own_scales(tmp_path: Path) -> None:
    def quantize(model: Any) -> None:
        tensor = model.subgraphs[0].tensors[1]
        quantization = schema.QuantizationParametersT()
        quantization.scale, quantization.zeroPoint = [0.5, 0.25], [0, 0]
        tensor.quantization = quantization

    plain = built.write(tmp_path / "plain.tflite", WHOLE)
    found = contents_of(rewritten(plain, tmp_path / "m.tflite", quantize)).tensors[1]
    assert (found.scales, found.zero_points) == ((0.5, 0.25), (0,))


@pytest.mark.parametrize("key", [BUILD_KEY_PLACEHOLDER, b"*" * 64, b"AB" * 32, b"ab" * 31 + b"-" * 2])
def test_only_a_key_is_taken_for_one(tmp_path: Path, key: bytes) -> None:
    place = place_in(WHOLE)
    assert place is not None
    header = bytearray(place.header)
    header[place.offset : place.offset + len(key)] = key
    found = contents_of(built.write(tmp_path / "m.tflite", bytes(header) + WHOLE))
    assert found.build_key == ""
    assert found.metadata[0].name == BUILD_KEY_ENTRY


@settings(max_examples=at_most(60))
@given(st.data())
def test_damage_is_one_error_or_none(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    content = bytearray(WHOLE[: data.draw(st.integers(0, len(WHOLE)))])
    for _ in range(data.draw(st.integers(0, 4))):
        if len(content) > 8:
            content[data.draw(st.integers(0, min(len(content), 600) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.mktemp("damaged") / "m.tflite"
    path.write_bytes(content)
    with suppress(SourceError):
        assert contents_of(path).size == len(content)
