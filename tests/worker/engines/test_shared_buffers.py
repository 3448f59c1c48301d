from __future__ import annotations

from typing import Any

import numpy as np
from ai_edge_litert.tools import flatbuffer_utils
from hypothesis import given
from hypothesis import strategies as st

from recipekit.worker.engines.shared_buffers import separate
from tests.models.built_flatbuffers import classifier

Model = Any


def _model(contents: list[int]) -> Model:
    """Tensors of two subgraphs, each with its own buffer: a constant of that content, or empty for 0."""
    model = flatbuffer_utils.convert_bytearray_to_object(classifier(signature=""))
    first = model.subgraphs[0]
    tensors = [_tensor(first.tensors[0], own) for own in range(1, len(contents) + 1)]
    second = type(first)()
    half = len(tensors) // 2
    first.tensors, second.tensors = tensors[:half], tensors[half:]
    first.operators, first.inputs, first.outputs, model.subgraphs = [], [], [], [first, second]
    model.buffers = [_buffer(model.buffers[0], content) for content in [0, *contents]]
    return model


def _tensor(like: Any, own: int) -> Any:
    tensor = type(like)()
    tensor.name, tensor.shape, tensor.buffer = f"tensor {own}", [4], own
    return tensor


def _buffer(like: Any, content: int) -> Any:
    buffer = type(like)()
    buffer.data = np.full(4, content, np.uint8) if content else None
    return buffer


def _share(model: Model) -> None:
    """Points tensors of equal content at the first one's buffer, as the converter does."""
    firsts: dict[int, int] = {}
    for tensor in (tensor for subgraph in model.subgraphs for tensor in subgraph.tensors):
        data = model.buffers[tensor.buffer].data
        if data is not None:
            first = firsts.setdefault(int(data[0]), tensor.buffer)
            if first != tensor.buffer:
                model.buffers[tensor.buffer].data = None
                tensor.buffer = first


def _packed(model: Model) -> bytes:
    return bytes(flatbuffer_utils.convert_object_to_bytearray(model))


@given(st.lists(st.integers(0, 3), min_size=1, max_size=12))
def test_separating_undoes_sharing(contents: list[int]) -> None:
    model = _model(contents)
    before = _packed(model)
    _share(model)
    assert separate(_packed(model)) == before


@given(st.lists(st.integers(0, 3), min_size=1, max_size=12), st.data())
def test_a_variable_without_a_buffer_stays_without(contents: list[int], data: st.DataObject) -> None:
    model = _model(contents)
    at = data.draw(st.integers(0, len(contents) - 1))
    variable = [tensor for subgraph in model.subgraphs for tensor in subgraph.tensors][at]
    model.buffers[variable.buffer].data = None
    variable.buffer = 0
    before = _packed(model)
    _share(model)
    assert separate(_packed(model)) == before


def test_buffers_in_another_order_are_not_guessed_at() -> None:
    model = _model([1, 2, 3])
    model.subgraphs[1].tensors[0].buffer, model.subgraphs[1].tensors[1].buffer = 3, 2
    assert separate(_packed(model)) is None
