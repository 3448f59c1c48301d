"""Two files are compared by what they hold: operators, dtypes, quantization, weights, sizes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from recipekit.audit.difference_model import compare_models
from recipekit.contracts import Inspection
from recipekit.worker.build_key_place import write_with_place
from recipekit.worker.file_contents import contents_of
from tests.models import built_flatbuffers as built
from tests.models.edits import rewritten


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    return built.write(tmp_path / "plain.tflite", built.classifier())


def changed(plain: Path, change: Callable[[Any], None]) -> list[tuple[str, str, Any, Any]]:
    """What a change of the file is seen as, apart from sizes of the file."""
    other = rewritten(plain, plain.with_name("other.tflite"), change)
    same = rewritten(plain, plain.with_name("same.tflite"), lambda _: None)
    return [(it.group, it.name, it.a, it.b) for it in compare_models(contents_of(same), contents_of(other))]


def quantized(*scales: float, tensor: int = 0) -> Callable[[Any], None]:
    def change(model: Any) -> None:
        quantization = schema.QuantizationParametersT()
        quantization.scale, quantization.zeroPoint = list(scales), [3] * len(scales)
        model.subgraphs[0].tensors[tensor].quantization = quantization

    return change


def test_files_that_differ_by_their_build_key_alone_have_one_difference(plain: Path, tmp_path: Path) -> None:
    found: list[Inspection] = []
    for key in ("ab" * 32, "cd" * 32):
        record = write_with_place(plain.read_bytes(), tmp_path / f"{key[:2]}.tflite")
        content = Path(record.path).read_bytes().replace(b"0" * 64, key.encode())
        Path(record.path).write_bytes(content)
        found.append(contents_of(Path(record.path)))
    assert found[0].sha256 != found[1].sha256
    assert compare_models(*found) == ()


def test_an_operator_that_was_added_is_counted_and_its_kind_named(plain: Path, tmp_path: Path) -> None:
    other = built.write(tmp_path / "other.tflite", built.classifier(between=built.negated))
    changes = compare_models(contents_of(plain), contents_of(other))
    assert [(it.name, it.a, it.b) for it in changes if it.group == "operators"] == [("NEG", 0, 1)]


def test_another_dtype_is_told_of_the_operator_and_the_signature(plain: Path) -> None:
    def integers(model: Any) -> None:
        graph = model.subgraphs[0]
        graph.tensors[graph.outputs[0]].type = schema.TensorType.INT8

    found = changed(plain, integers)
    assert ("dtypes", "probabilities", "SOFTMAX float32 → float32", "SOFTMAX float32 → int8") in found
    names = [name for group, name, _, _ in found if group == "signature"]
    assert names == ["serving_default output scores"]


def test_scales_that_moved_come_by_how_far_they_moved(plain: Path) -> None:
    before = rewritten(plain, plain.with_name("before.tflite"), quantized(0.5))
    after = rewritten(before, plain.with_name("after.tflite"), quantized(0.25))
    (port, change) = compare_models(contents_of(before), contents_of(after))
    assert (port.group, change.group, change.name, change.weight) == ("signature", "quantization", "x", 1.0)
    assert change.a == {"scales": 1, "scale": [0.5, 0.5], "zero_points": [3]}
    assert change.b["scale"] == [0.25, 0.25]
    channels = rewritten(before, plain.with_name("channels.tflite"), quantized(0.5, 0.25))
    *_, coarser = compare_models(contents_of(before), contents_of(channels))
    assert coarser.weight == 100
    assert coarser.b["scale"] == [0.25, 0.5]


def test_a_negative_scale_is_a_difference_like_any_other(plain: Path) -> None:
    before = rewritten(plain, plain.with_name("before.tflite"), quantized(0.5, tensor=1))
    after = rewritten(plain, plain.with_name("after.tflite"), quantized(-0.5, tensor=1))
    (change,) = compare_models(contents_of(before), contents_of(after))
    assert (change.group, change.weight) == ("quantization", 100)


def test_weights_of_other_values_and_the_same_size_are_noticed(plain: Path) -> None:
    def retrain(model: Any) -> None:
        model.buffers[-1].data = np.array(model.buffers[-1].data)[::-1]

    ((group, name, a, b),) = changed(plain, retrain)
    assert (group, name) == ("weights", "logits/weights")
    assert a["bytes"] == b["bytes"] == 32 * 8 * 4
    assert a["sha256"] != b["sha256"]


def test_metadata_is_compared_and_the_build_key_is_not(plain: Path) -> None:
    def note(model: Any) -> None:
        buffer, entry = schema.BufferT(), schema.MetadataT()
        buffer.data = np.frombuffer(b"1.14.0", np.uint8)
        model.buffers.append(buffer)
        entry.name, entry.buffer = "min_runtime_version", len(model.buffers) - 1
        model.metadata = [entry]

    assert ("metadata", "min_runtime_version", None, "1.14.0") in changed(plain, note)


def test_layers_are_ordered_by_the_bytes_they_gained(tmp_path: Path) -> None:
    def dense(*outputs: int) -> Inspection:
        graph = built.Graph()
        at, width = graph.input("x", (1, 8)), 8
        for number, wide in enumerate(outputs):
            at, width = graph.dense(f"layer{number}", at, np.ones((wide, width), np.float32)), wide
        return contents_of(built.write(tmp_path / f"{outputs}.tflite", graph.finish({"y": at})))

    changes = compare_models(dense(4, 4), dense(6, 40))
    sizes = [(it.name, it.a, it.b) for it in changes if it.group == "layer sizes"]
    assert sizes == [("layer1", 64, 6 * 40 * 4), ("layer0", 128, 8 * 6 * 4)]


def _under(scope: str) -> Callable[[Any], None]:
    def rename(model: Any) -> None:
        for tensor in model.subgraphs[0].tensors:
            name = tensor.name.decode()
            tensor.name = ";".join(f"{scope}/{part}" for part in (f"{name}/out", name)).encode()

    return rename


def test_a_layer_is_the_same_one_whatever_the_models_are_called(plain: Path) -> None:
    one, other = (
        contents_of(rewritten(plain, plain.with_name(f"{scope}.tflite"), _under(scope)))
        for scope in ("model", "functional_1")
    )
    assert {it.name for it in one.operators}.isdisjoint(it.name for it in other.operators)
    assert [change for change in compare_models(one, other) if change.group != "size"] == []
