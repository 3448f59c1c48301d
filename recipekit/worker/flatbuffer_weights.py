"""The constant tensors of a flatbuffer as arrays: quantized ones as their integers, sparse ones spelled out.

It reads the file in Python, without an interpreter, whose view of weights depends on what its delegates made of them.
The layout of sparse tensors is that of TensorFlow Lite's schema, after F. Kjolstad et al., "The Tensor Algebra
Compiler", 2017. It knows nothing of layers and of what was promised about them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from ai_edge_litert import schema_py_generated as schema

from recipekit.worker.flatbuffer_names import decoded, dtype_of

Array = npt.NDArray[Any]

_DTYPES = {
    schema.TensorType.FLOAT32: np.float32,
    schema.TensorType.FLOAT16: np.float16,
    schema.TensorType.INT8: np.int8,
    schema.TensorType.UINT8: np.uint8,
    schema.TensorType.INT16: np.int16,
}
_PACKED = {schema.TensorType.INT4: 4, schema.TensorType.INT2: 2}


class Weights(NamedTuple):
    """One constant tensor.

    Attributes:
        name: in the flatbuffer.
        dtype: of the stored values, by TensorFlow Lite's name in lower case.
        values: stored values less their zero point, in the tensor's shape.
        encoded: whether the file holds the tensor in a sparse form.
    """

    name: str
    dtype: str
    values: Array
    encoded: bool


def weights_of(flatbuffer: bytes) -> Iterator[Weights]:
    """Every constant tensor with at least two dimensions.

    Args:
        flatbuffer: a whole `.tflite` file, known to be one.
    """
    model = schema.Model.GetRootAs(flatbuffer)
    for index in range(model.SubgraphsLength()):
        subgraph = model.Subgraphs(index)
        for position in range(subgraph.TensorsLength()):
            tensor = subgraph.Tensors(position)
            kind = tensor.Type()
            data = _data(model, tensor, flatbuffer)
            if data is None or tensor.ShapeLength() < 2 or not (kind in _DTYPES or kind in _PACKED):
                continue
            stored = data.view(_DTYPES[kind]) if kind in _DTYPES else _unpacked(data, _PACKED[kind])
            shape = tuple(tensor.ShapeAsNumpy().tolist())
            sparsity = tensor.Sparsity()
            values = (
                stored[: int(np.prod(shape))].reshape(shape) if sparsity is None else _dense(stored, sparsity, shape)
            )
            yield Weights(decoded(tensor.Name()), dtype_of(tensor), _centred(values, tensor), sparsity is not None)


def _data(model: Any, tensor: Any, flatbuffer: bytes) -> Array | None:
    """The bytes of a tensor, in the flatbuffer or, by offset, behind it; None for one that isn't constant."""
    buffer = model.Buffers(tensor.Buffer())
    if buffer.Offset() > 1:
        return np.frombuffer(flatbuffer, np.uint8, buffer.Size(), buffer.Offset())
    if buffer.DataIsNone() or buffer.DataLength() == 0:
        return None
    return np.array(buffer.DataAsNumpy(), np.uint8)


def _unpacked(data: Array, bits: int) -> Array:
    """Signed integers of less than a byte, the first one in the lowest bits."""
    parts = [(data >> shift) & (2**bits - 1) for shift in range(0, 8, bits)]
    values = np.stack(parts, axis=-1).reshape(-1).astype(np.int8)
    return np.where(values >= 2 ** (bits - 1), values - 2**bits, values).astype(np.int8)


def _centred(values: Array, tensor: Any) -> Array:
    """Values with the zero point at 0, along the quantized dimension where each channel has its own."""
    quantization = tensor.Quantization()
    if quantization is None or quantization.ZeroPointLength() == 0 or values.dtype.kind == "f":
        return values
    points = quantization.ZeroPointAsNumpy().astype(np.int32)
    if not points.any():
        return values
    if len(points) > 1:
        shape = [1] * values.ndim
        shape[quantization.QuantizedDimension()] = len(points)
        points = points.reshape(shape)
    return np.asarray(values.astype(np.int32) - points)


def _dense(stored: Array, sparsity: Any, shape: tuple[int, ...]) -> Array:
    """A sparse tensor's values in their places.

    Dimensions are stored in a traversal order, those of blocks last; each is dense, or lists per parent the indices
    where something is.
    """
    order = sparsity.TraversalOrderAsNumpy().tolist()
    blocks = sparsity.BlockMapAsNumpy().tolist() if sparsity.BlockMapLength() else []
    levels = [sparsity.DimMetadata(level) for level in range(sparsity.DimMetadataLength())]
    positions = np.zeros((1, 0), np.int64)  # a row for each node of the level, its index in every level so far
    sizes = {order[level]: metadata.DenseSize() for level, metadata in enumerate(levels)}
    for metadata in levels:
        positions = _descended(positions, metadata)
    index = np.zeros((len(positions), len(shape)), np.int64)
    for level, dimension in enumerate(order):
        if dimension < len(shape):
            block = [sizes[len(shape) + at] for at, mapped in enumerate(blocks) if mapped == dimension]
            index[:, dimension] += positions[:, level] * (block[0] if block else 1)
        else:
            index[:, blocks[dimension - len(shape)]] += positions[:, level]
    values = np.zeros(shape, stored.dtype)
    values[tuple(index.T)] = stored[: len(index)]
    return values


def _descended(positions: Array, metadata: Any) -> Array:
    if metadata.Format() == schema.DimensionType.DENSE:
        size = metadata.DenseSize()
        children = np.tile(np.arange(size), len(positions))
        return np.column_stack([np.repeat(positions, size, axis=0), children])
    segments = _vector(metadata, "ArraySegments")
    indices = _vector(metadata, "ArrayIndices")
    return np.column_stack([np.repeat(positions, np.diff(segments), axis=0), indices])


def _vector(metadata: Any, name: str) -> Array:
    """One of a level's index vectors, which the schema keeps in the narrowest integers that do."""
    kinds = {
        schema.SparseIndexVector.Int32Vector: schema.Int32Vector,
        schema.SparseIndexVector.Uint16Vector: schema.Uint16Vector,
        schema.SparseIndexVector.Uint8Vector: schema.Uint8Vector,
    }
    table = getattr(metadata, name)()
    vector = kinds[getattr(metadata, f"{name}Type")()]()
    vector.Init(table.Bytes, table.Pos)
    return np.asarray(vector.ValuesAsNumpy(), np.int64)
