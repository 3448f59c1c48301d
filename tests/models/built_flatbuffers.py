"""Small float `.tflite` models made without any converter, so that tests of what follows need no TensorFlow."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import flatbuffers  # type: ignore[import-untyped]  # it ships no types
import numpy as np
import numpy.typing as npt
from ai_edge_litert import schema_py_generated as schema

_TYPES = {"float32": schema.TensorType.FLOAT32, "int32": schema.TensorType.INT32}
_RELU = schema.ActivationFunctionType.RELU


class Graph:
    """One subgraph that grows operator by operator; tensors go by the numbers that its methods give back."""

    def __init__(self) -> None:
        self._model = schema.ModelT()
        self._model.version = 3
        self._model.buffers = [schema.BufferT()]
        self._model.operatorCodes = []
        self._graph = schema.SubGraphT()
        self._graph.tensors, self._graph.operators, self._graph.inputs = [], [], []
        self._model.subgraphs = [self._graph]

    def input(self, name: str, shape: Sequence[int], dtype: str = "float32") -> int:
        index = self._tensor(name, shape, dtype)
        self._graph.inputs.append(index)
        return index

    def constant(self, name: str, array: npt.NDArray[Any]) -> int:
        buffer = schema.BufferT()
        buffer.data = np.frombuffer(array.tobytes(), np.uint8)
        self._model.buffers.append(buffer)
        return self._tensor(name, array.shape, array.dtype.name, len(self._model.buffers) - 1)

    def dense(self, name: str, source: int, weights: npt.NDArray[np.float32], relu: bool = False) -> int:
        """Weights have the shape (outputs, inputs)."""
        options = schema.FullyConnectedOptionsT()
        options.fusedActivationFunction = _RELU if relu else 0
        inputs = [source, self.constant(f"{name}/weights", weights), -1]  # as converters write a missing bias
        return self.add("FULLY_CONNECTED", name, inputs, (1, len(weights)), options)

    def convolution(self, name: str, source: int, weights: npt.NDArray[np.float32], size: Sequence[int]) -> int:
        """Weights have the shape (outputs, height, width, inputs)."""
        options = schema.Conv2DOptionsT()
        options.strideH = options.strideW = 1
        options.padding = schema.Padding.SAME
        bias = self.constant(f"{name}/bias", np.zeros(len(weights), np.float32))
        inputs = [source, self.constant(f"{name}/weights", weights), bias]
        return self.add("CONV_2D", name, inputs, (1, *size, len(weights)), options)

    def add(
        self,
        op: str,
        name: str,
        inputs: Sequence[int],
        shape: Sequence[int],
        options: Any = None,
        dtype: str = "float32",
    ) -> int:
        """Any operator with one output, which has the operator's name."""
        code = schema.OperatorCodeT()
        code.builtinCode = code.deprecatedBuiltinCode = getattr(schema.BuiltinOperator, op)
        code.version = 1
        self._model.operatorCodes.append(code)
        operator = schema.OperatorT()
        operator.opcodeIndex = len(self._model.operatorCodes) - 1
        operator.inputs, operator.outputs = list(inputs), [self._tensor(name, shape, dtype)]
        if options is not None:
            kind = type(options).__name__.removesuffix("T")
            operator.builtinOptions, operator.builtinOptionsType = options, getattr(schema.BuiltinOptions, kind)
        self._graph.operators.append(operator)
        return int(operator.outputs[0])

    def finish(self, outputs: dict[str, int], signature: str = "serving_default") -> bytes:
        """The file, with the given outputs; without a signature where that is empty."""
        self._graph.outputs = list(outputs.values())
        if signature:
            entry = schema.SignatureDefT()
            entry.signatureKey, entry.subgraphIndex = signature, 0
            entry.inputs = [_named(self._graph.tensors[index].name, index) for index in self._graph.inputs]
            entry.outputs = [_named(name, index) for name, index in outputs.items()]
            self._model.signatureDefs = [entry]
        builder = flatbuffers.Builder(1024)
        builder.Finish(self._model.Pack(builder), b"TFL3")
        return bytes(builder.Output())

    def _tensor(self, name: str, shape: Sequence[int], dtype: str, buffer: int = 0) -> int:
        tensor = schema.TensorT()
        tensor.name, tensor.shape, tensor.type, tensor.buffer = name, list(shape), _TYPES[dtype], buffer
        self._graph.tensors.append(tensor)
        return len(self._graph.tensors) - 1


def classifier(signature: str = "serving_default", between: Callable[[Graph, int], int] | None = None) -> bytes:
    """`x` (1, 64) through two dense layers, `hidden` and `logits`, and a softmax to `scores` (1, 8).

    Args:
        signature: its key; empty for none.
        between: puts operators between the dense layers.
    """
    draw = np.random.default_rng(0)

    def weights(outputs: int, inputs: int) -> npt.NDArray[np.float32]:
        return draw.normal(scale=inputs**-0.5, size=(outputs, inputs)).astype(np.float32)

    graph = Graph()
    hidden = graph.dense("hidden", graph.input("x", (1, 64)), weights(32, 64), relu=True)
    inner = between(graph, hidden) if between is not None else hidden
    logits = graph.dense("logits", inner, weights(8, 32))
    options = schema.SoftmaxOptionsT()
    options.beta = 1.0
    return graph.finish({"scores": graph.add("SOFTMAX", "probabilities", [logits], (1, 8), options)}, signature)


def convolutional() -> bytes:
    """`image` (1, 8, 8, 3) through one convolution to `map` (1, 8, 8, 4)."""
    graph = Graph()
    weights = np.random.default_rng(0).normal(size=(4, 3, 3, 3)).astype("f")
    return graph.finish({"map": graph.convolution("features", graph.input("image", (1, 8, 8, 3)), weights, (8, 8))})


def embedding() -> bytes:
    """`id` (1,), an int32, through an embedding of 20 vectors and a dense layer to `logits` (1, 8)."""
    draw = np.random.default_rng(0)
    graph = Graph()
    table = graph.constant("table", draw.normal(size=(20, 32)).astype(np.float32))
    vector = graph.add("EMBEDDING_LOOKUP", "vector", [graph.input("id", (1,), "int32"), table], (1, 32))
    return graph.finish({"logits": graph.dense("logits", vector, draw.normal(size=(8, 32)).astype(np.float32))})


def negated(graph: Graph, source: int) -> int:
    """An operator that the AI Edge Quantizer doesn't know."""
    return graph.add("NEG", "flipped", [source], (1, 32), schema.NegOptionsT())


def reshaped(graph: Graph, source: int) -> int:
    """A reshape to what SHAPE reads of the same tensor, as Keras models with a dynamic batch have it."""
    options = schema.ShapeOptionsT()
    options.outType = schema.TensorType.INT32
    shape = graph.add("SHAPE", "size", [source], (2,), options, dtype="int32")
    return graph.add("RESHAPE", "flat", [source, shape], (1, 32), schema.ReshapeOptionsT())


def write(path: Path, flatbuffer: bytes) -> Path:
    path.write_bytes(flatbuffer)
    return path


def _named(name: str, index: int) -> Any:
    entry = schema.TensorMapT()
    entry.name, entry.tensorIndex = name, index
    return entry
