"""Every byte of a flatbuffer has a name: the tensor whose values it is, a metadata entry, or what it stands near to."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from recipekit.contracts import Located, LocateRequest
from recipekit.errors import EvaluationError
from recipekit.worker.flatbuffer_parts import part_at
from tests.conftest import RunStage
from tests.models.built_flatbuffers import Graph
from tests.models.edits import rewritten

WEIGHTS = np.arange(12, dtype=np.float32).reshape(4, 3) + 0.5


@pytest.fixture(scope="module")
def flatbuffer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One dense layer, and a metadata entry of 64 digits."""
    graph = Graph()
    plain = tmp_path_factory.mktemp("parts") / "plain.tflite"
    plain.write_bytes(graph.finish({"scores": graph.dense("dense", graph.input("image", (1, 3)), WEIGHTS)}))

    def add_key(model: schema.ModelT) -> None:
        buffer, entry = schema.BufferT(), schema.MetadataT()
        buffer.data = np.frombuffer(b"7" * 64, np.uint8)
        model.buffers.append(buffer)
        entry.name, entry.buffer = "recipekit.build_key", len(model.buffers) - 1
        model.metadata = [entry]

    return rewritten(plain, plain.with_name("model.tflite"), add_key)


def test_a_weight_belongs_to_its_tensor(flatbuffer: Path) -> None:
    data = flatbuffer.read_bytes()
    start = data.index(WEIGHTS.tobytes())

    for offset in (start, start + 17, start + WEIGHTS.nbytes - 1):
        assert part_at(data, offset) == "values of the tensor 'dense/weights'"
    assert "values" not in part_at(data, start + WEIGHTS.nbytes)


def test_metadata_goes_by_its_name(flatbuffer: Path) -> None:
    data = flatbuffer.read_bytes()

    assert part_at(data, data.index(b"7" * 64) + 5) == "the metadata 'recipekit.build_key'"


def test_every_byte_has_a_name_and_the_first_ones_are_the_header(flatbuffer: Path) -> None:
    data = flatbuffer.read_bytes()
    parts = {part_at(data, offset) for offset in range(len(data))}

    assert part_at(data, 0) == "the file's header"
    assert {"near the description of operator 0 of subgraph 0", "near the list of operators in use"} <= parts
    assert all(parts)


def test_the_stage_answers_and_refuses_what_is_no_flatbuffer(
    run_stage: RunStage, flatbuffer: Path, tmp_path: Path
) -> None:
    offset = flatbuffer.read_bytes().index(WEIGHTS.tobytes())
    found: Located = run_stage("locate", LocateRequest(flatbuffer=str(flatbuffer), offset=offset))
    assert found.part == "values of the tensor 'dense/weights'"

    (tmp_path / "junk").write_bytes(b"\x18\0\0\0TFL3")
    with pytest.raises(EvaluationError):
        run_stage("locate", LocateRequest(flatbuffer=str(tmp_path / "junk"), offset=3))
