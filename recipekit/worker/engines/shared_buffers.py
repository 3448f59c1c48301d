"""Undoes what the converter does last: it lets constants of equal content share one buffer.

The calibrator and the quantizers behind it expect the state before, in which each tensor owns its buffer; from the
shared state they make other bytes. This module knows flatbuffers alone and must not import TensorFlow.
"""

from __future__ import annotations

from typing import Any

from ai_edge_litert.tools import flatbuffer_utils


def separate(flatbuffer: bytes) -> bytes | None:
    """Gives each tensor of a float32 conversion its own buffer again.

    The converter numbers buffers as it writes tensors, one each, over all subgraphs, from 1; variables hold 0, which
    is empty, but count. Sharing points a tensor elsewhere and empties its own buffer.

    Args:
        flatbuffer: as TFLiteConverter gave it, without quantization.

    Returns:
        The flatbuffer, the given one where nothing is shared; None where its buffers aren't numbered like that, so
        that the state before can't be told.
    """
    model = flatbuffer_utils.convert_bytearray_to_object(flatbuffer)
    tensors = [tensor for subgraph in model.subgraphs for tensor in subgraph.tensors]
    moved = [(own, tensor) for own, tensor in enumerate(tensors, start=1) if tensor.buffer not in (0, own)]
    if not moved:
        return flatbuffer
    for own, tensor in moved:
        if own >= len(model.buffers) or not _is_empty(model.buffers[own]):
            return None
        model.buffers[own].data = model.buffers[tensor.buffer].data
        tensor.buffer = own
    return bytes(flatbuffer_utils.convert_object_to_bytearray(model))


def _is_empty(buffer: Any) -> bool:
    return buffer.data is None or len(buffer.data) == 0
