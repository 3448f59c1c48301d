"""A place for the build key changes nothing else: the file behind it, what it computes, where its data is found."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import flatbuffers  # type: ignore[import-untyped]  # it ships no types
import numpy as np
import numpy.typing as npt
import pytest
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter
from hypothesis import given, settings
from hypothesis import strategies as st

from recipekit.contracts import BUILD_KEY_ENTRY, BUILD_KEY_PLACEHOLDER
from recipekit.worker import census
from recipekit.worker.build_key_place import place_in, published_size, write_with_place
from recipekit.worker.file_contents import contents_of
from tests.models import built_flatbuffers as built
from tests.models.candidates import converted_part
from tests.models.edits import rewritten
from tests.properties import at_most

KEY = "5e" * 32
MODELS: dict[str, Callable[[], bytes]] = {
    "signature": built.classifier,
    "no signature": lambda: built.classifier(signature=""),
    "convolution": built.convolutional,
    "integers": built.embedding,
}


def answers(path: Path) -> dict[str, npt.NDArray[Any]]:
    """What LiteRT computes of ones, by tensor name."""
    interpreter = Interpreter(model_path=str(path))
    interpreter.allocate_tensors()
    for detail in interpreter.get_input_details():
        interpreter.set_tensor(detail["index"], np.ones(detail["shape"], detail["dtype"]))
    interpreter.invoke()
    return {detail["name"]: interpreter.get_tensor(detail["index"]) for detail in interpreter.get_output_details()}


def written(data: bytes, path: Path) -> int:
    """Writes data with a place and the key in it; returns where the key stands."""
    offset = write_with_place(data, path).build_key_offset
    assert offset is not None
    content = bytearray(path.read_bytes())
    assert content[offset : offset + 64] == BUILD_KEY_PLACEHOLDER
    content[offset : offset + 64] = KEY.encode()
    path.write_bytes(content)
    return offset


def with_metadata(*names: str) -> Callable[[Any], None]:
    def change(model: Any) -> None:
        model.metadata = []
        for name in names:
            buffer, entry = schema.BufferT(), schema.MetadataT()
            buffer.data = np.frombuffer(name.upper().encode(), np.uint8)
            model.buffers.append(buffer)
            entry.name, entry.buffer = name, len(model.buffers) - 1
            model.metadata.append(entry)

    return change


def behind(data: bytes) -> bytes:
    """A model whose last buffer lies behind the flatbuffer, by an offset from the file's beginning."""
    model = schema.ModelT.InitFromPackedBuf(data, 0)
    weights = bytes(bytearray(model.buffers[-1].data))
    for _ in range(2):  # the place of the data is known once the size of the flatbuffer is
        model.buffers[-1].data = None
        model.buffers[-1].offset, model.buffers[-1].size = len(data), len(weights)
        builder = flatbuffers.Builder(1024)
        builder.Finish(model.Pack(builder), b"TFL3")
        data = bytes(builder.Output())
        data += bytes(-len(data) % 16)
    return data + weights


@pytest.mark.parametrize("model", MODELS)
def test_a_place_leaves_every_byte_of_the_file_and_what_it_computes(tmp_path: Path, model: str) -> None:
    data = MODELS[model]()
    plain, marked = built.write(tmp_path / "plain.tflite", data), tmp_path / "marked.tflite"
    written(data, marked)
    assert marked.read_bytes().endswith(data)
    assert converted_part(marked.read_bytes()) == data
    assert (marked.stat().st_size - len(data)) % 16 == 0
    assert marked.stat().st_size - len(data) < 280
    assert contents_of(marked).build_key == KEY
    assert census.take(marked) == census.take(plain)
    expected, got = answers(plain), answers(marked)
    assert expected.keys() == got.keys()
    for name, values in expected.items():
        np.testing.assert_array_equal(got[name], values)


def test_metadata_that_was_there_stays_and_an_older_key_gives_way(tmp_path: Path) -> None:
    source = built.write(tmp_path / "source.tflite", built.classifier())
    names = ("min_runtime_version", BUILD_KEY_ENTRY, "CONVERSION_METADATA")
    older = rewritten(source, tmp_path / "older.tflite", with_metadata(*names)).read_bytes()
    written(older, tmp_path / "new.tflite")
    found = {entry.name: entry.text for entry in contents_of(tmp_path / "new.tflite").metadata}
    assert found == {
        "min_runtime_version": "MIN_RUNTIME_VERSION",
        "CONVERSION_METADATA": "CONVERSION_METADATA",
        BUILD_KEY_ENTRY: KEY,
    }


def test_a_file_with_a_place_keeps_it(tmp_path: Path) -> None:
    once = write_with_place(built.classifier(), tmp_path / "once.tflite")
    twice = write_with_place(Path(once.path).read_bytes(), tmp_path / "twice.tflite")
    assert (twice.sha256, twice.build_key_offset) == (once.sha256, once.build_key_offset)


def test_weights_that_look_like_a_place_are_none(tmp_path: Path) -> None:
    def mislead(model: Any) -> None:
        with_metadata(BUILD_KEY_ENTRY)(model)
        model.buffers[-1].data = np.frombuffer(BUILD_KEY_PLACEHOLDER, np.uint8)
        model.subgraphs[0].tensors[0].buffer = len(model.buffers) - 1

    source = built.write(tmp_path / "source.tflite", built.classifier())
    data = rewritten(source, tmp_path / "misleading.tflite", mislead).read_bytes()
    place = place_in(data)
    assert place is not None
    assert place.offset < len(place.header)


def test_data_behind_the_flatbuffer_is_found(tmp_path: Path) -> None:
    data = behind(built.classifier())
    plain, marked = built.write(tmp_path / "plain.tflite", data), tmp_path / "marked.tflite"
    written(data, marked)
    moved = marked.stat().st_size - len(data)
    offsets = [
        [model.Buffers(at).Offset() for at in range(model.BuffersLength()) if model.Buffers(at).Offset()]
        for model in map(schema.Model.GetRootAs, (data, marked.read_bytes()))
    ]
    assert offsets[1] == [offsets[0][0] + moved]
    for name, values in answers(plain).items():
        np.testing.assert_array_equal(answers(marked)[name], values)


def test_options_behind_the_flatbuffer_are_found(tmp_path: Path) -> None:
    def move_out(model: Any) -> None:
        operator = model.subgraphs[0].operators[-1]
        model.operatorCodes[-1].builtinCode = schema.BuiltinOperator.CUSTOM
        model.operatorCodes[-1].customCode = "Own"
        operator.largeCustomOptionsOffset, operator.largeCustomOptionsSize = 20_000, 8

    source = built.write(tmp_path / "source.tflite", built.classifier())
    data = rewritten(source, tmp_path / "options.tflite", move_out).read_bytes()
    written(data, tmp_path / "marked.tflite")
    graph = schema.Model.GetRootAs((tmp_path / "marked.tflite").read_bytes()).Subgraphs(0)
    moved = (tmp_path / "marked.tflite").stat().st_size - len(data)
    assert graph.Operators(graph.OperatorsLength() - 1).LargeCustomOptionsOffset() == 20_000 + moved


def test_every_subgraph_stays(tmp_path: Path) -> None:
    source = built.write(tmp_path / "source.tflite", built.classifier())
    double = rewritten(source, tmp_path / "two.tflite", lambda model: model.subgraphs.append(model.subgraphs[0]))
    written(double.read_bytes(), tmp_path / "marked.tflite")
    before, after = contents_of(double), contents_of(tmp_path / "marked.tflite")
    assert (after.subgraphs, after.operators) == (2, before.operators)
    for name, values in answers(double).items():
        np.testing.assert_array_equal(answers(tmp_path / "marked.tflite")[name], values)


def test_sizes_are_compared_as_published(tmp_path: Path) -> None:
    plain = built.write(tmp_path / "plain.tflite", built.classifier())
    record = write_with_place(plain.read_bytes(), tmp_path / "marked.tflite")
    assert published_size(plain) == published_size(Path(record.path)) == record.size


def test_associated_files_at_the_end_are_found(tmp_path: Path) -> None:
    stream = io.BytesIO(built.classifier())
    with zipfile.ZipFile(stream, "a") as archive:
        archive.writestr("labels.txt", "cat\ndog\n")
        archive.writestr("empty.txt", "")
    data = stream.getvalue()
    written(data, tmp_path / "marked.tflite")
    with zipfile.ZipFile(tmp_path / "marked.tflite") as archive:
        assert archive.read("labels.txt") == b"cat\ndog\n"
        moved = archive.start_dir
    with zipfile.ZipFile(stream) as archive:
        before = archive.start_dir
    content = (tmp_path / "marked.tflite").read_bytes()
    assert moved - before == len(content) - len(data)
    (stated,) = struct.unpack_from("<I", content, content.rindex(b"PK\x05\x06") + 16)
    assert stated == moved, "readers that don't search find it, too"


def test_a_file_that_cannot_be_moved_stays_as_it_is(tmp_path: Path) -> None:
    def precompile(model: Any) -> None:
        model.operatorCodes[0].builtinCode = schema.BuiltinOperator.CUSTOM
        model.operatorCodes[0].customCode = "DISPATCH_OP"

    source = built.write(tmp_path / "source.tflite", built.classifier())
    data = rewritten(source, tmp_path / "compiled.tflite", precompile).read_bytes()
    record = write_with_place(data, tmp_path / "marked.tflite")
    assert record.build_key_offset is None
    assert (tmp_path / "marked.tflite").read_bytes() == data


@settings(max_examples=at_most(30))
@given(st.lists(st.integers(1, 9), min_size=1, max_size=12), st.integers(0, 3), st.booleans())
def test_any_file_reads_the_same_behind_its_place(
    tmp_path_factory: pytest.TempPathFactory, widths: list[int], entries: int, signed: bool
) -> None:
    folder = tmp_path_factory.mktemp("any")
    graph = built.Graph()
    at, width = graph.input("x", (1, 4)), 4
    for number, outputs in enumerate(widths):
        weights = np.full((outputs, width), number, np.float32)
        at, width = graph.dense(f"layer{number}", at, weights), outputs
    plain = built.write(folder / "plain.tflite", graph.finish({"y": at}, "serve" if signed else ""))
    named = rewritten(plain, folder / "named.tflite", with_metadata(*(f"entry{number}" for number in range(entries))))
    written(named.read_bytes(), folder / "marked.tflite")
    before, after = contents_of(named), contents_of(folder / "marked.tflite")
    assert after.build_key == KEY
    assert (after.tensors, after.operators, after.signatures) == (before.tensors, before.operators, before.signatures)
    assert after.metadata[:-1] == before.metadata
