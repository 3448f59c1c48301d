"""What a flatbuffer itself says it is: inputs, outputs, operators and how many of them compute in float.

Flags given to a converter are intentions; only the file tells what came of them. It is read in Python, without an
interpreter, so that a file no runtime here can run, or no flatbuffer at all, is answered in words.
This module knows nothing of acceptance bounds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from ai_edge_litert import schema_py_generated as schema
from msgspec import UNSET, UnsetType

from recipekit.contracts import Census, Operator, QuantizedTensor, SignatureGraph, qualified
from recipekit.errors import EvaluationError
from recipekit.worker.flatbuffer_names import FLEX, begins_as_one, decoded, dtype_of, operator_of

COMPUTE_NOTHING = frozenset({"QUANTIZE", "DEQUANTIZE", "RANK", "SHAPE"})
"""Operators that convert values, or don't look at them."""

_FLOATS = frozenset({"float16", "bfloat16", "float32", "float64", "complex64", "complex128"})

Item = TypeVar("Item")


def take(path: Path) -> Census:
    """Takes the census of a `.tflite` file.

    Names of inputs and outputs are those of the signature, where there are several `key/name`; a file without
    signatures goes by the tensor names of its first subgraph. A dynamic dimension is -1.

    Raises:
        EvaluationError: the file is missing, cut short, or not a TensorFlow Lite flatbuffer.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise EvaluationError(f"can't be read: {error.strerror}", where=str(path)) from error
    return of_flatbuffer(data, str(path))


def of_flatbuffer(data: bytes, place: str = "") -> Census:
    """Takes the census of a `.tflite` file's content; see `take`.

    Args:
        data: the whole file.
        place: what messages call it.

    Raises:
        EvaluationError: the content is cut short, or not a TensorFlow Lite flatbuffer.
    """
    if not begins_as_one(data):
        raise _unreadable(place, "it lacks the identifier TFL3")
    try:
        return _Reader(data).census()
    except Exception as error:
        raise _unreadable(place, "it is cut short or damaged") from error


class OperatorSite(NamedTuple):
    """One operator of a flatbuffer.

    Attributes:
        op: its name: `CONV_2D`, or the custom code.
        outputs: names of its output tensors.
        is_float: whether it computes in float: an output that is read, or an input that isn't constant and whose values
            matter, is of a floating-point dtype.
        unread: whether one of its results is read by nobody.
    """

    op: str
    outputs: tuple[str, ...]
    is_float: bool = True
    unread: bool = False


def operators_of(flatbuffer: bytes) -> list[OperatorSite]:
    """Every operator of a flatbuffer in the order of execution, one subgraph after the other.

    Args:
        flatbuffer: a whole `.tflite` file, known to be one.
    """
    reader = _Reader(flatbuffer)
    return [
        OperatorSite(
            kind.name,
            reader.output_names(subgraph, operator),
            reader.is_float(subgraph, operator, kind),
            reader.has_unread(subgraph, operator),
        )
        for subgraph, operator, kind in reader.operators()
    ]


def output_tensors(flatbuffer: bytes) -> dict[str, str]:
    """The output that each tensor is, by the tensor's name; of the first signature, nothing where there is none.

    Args:
        flatbuffer: a whole `.tflite` file, known to be one.
    """
    reader = _Reader(flatbuffer)
    for signature in reader.items(reader.model.SignatureDefsLength(), reader.model.SignatureDefs):
        subgraph = reader.subgraphs[signature.SubgraphIndex()]
        entries = reader.items(signature.OutputsLength(), signature.Outputs)
        return {decoded(subgraph.Tensors(entry.TensorIndex()).Name()): decoded(entry.Name()) for entry in entries}
    return {}


@dataclass(frozen=True)
class _Kind:
    """One entry of the table of operator codes."""

    name: str
    version: int
    kind: str


class _Reader:
    """One flatbuffer, walked through the generated accessors, which check nothing by themselves."""

    def __init__(self, data: bytes) -> None:
        self.unread = len(data)
        self.model = schema.Model.GetRootAs(data)
        # Asking for the data of all buffers finds a file that is cut short anywhere.
        self.filled = [_is_filled(buffer) for buffer in self.items(self.model.BuffersLength(), self.model.Buffers)]
        self.subgraphs = list(self.items(self.model.SubgraphsLength(), self.model.Subgraphs))
        self.read = {id(subgraph): set(self.read_tensors(subgraph)) for subgraph in self.subgraphs}
        self.kinds = [_kind(code) for code in self.items(self.model.OperatorCodesLength(), self.model.OperatorCodes)]

    def census(self) -> Census:
        counts: Counter[_Kind] = Counter()
        float_ops: Counter[str] = Counter()
        for subgraph, operator, kind in self.operators():
            counts[kind] += 1
            if self.is_float(subgraph, operator, kind):
                float_ops[kind.name] += 1
        inputs, outputs = self.io()
        return Census(
            inputs=inputs,
            outputs=outputs,
            operators=tuple(
                Operator(name=kind.name, version=kind.version, count=count, kind=kind.kind)
                for kind, count in sorted(counts.items(), key=lambda item: (item[0].name, item[0].version))
            ),
            float_ops=float_ops.total(),
            float_op_names=tuple(sorted(float_ops)),
            custom_ops=tuple(sorted({kind.name for kind in counts if kind.kind == "custom"})),
            select_tf_ops=tuple(sorted({kind.name.removeprefix(FLEX) for kind in counts if kind.kind == "flex"})),
            subgraphs=len(self.subgraphs),
            tensors=sum(subgraph.TensorsLength() for subgraph in self.subgraphs),
            min_runtime_version=self.min_runtime_version(),
            signatures=self.signatures(),
        )

    def items(self, length: int, get: Callable[[int], Item]) -> Iterator[Item]:
        """The entries of a vector, unless the file can't hold that many: then its length is damaged."""
        self.unread -= length
        if self.unread < 0:
            raise ValueError("the vectors are longer than the file")
        return map(get, range(length))

    def operators(self) -> Iterator[tuple[Any, Any, _Kind]]:
        """Every operator with its subgraph and its kind."""
        for subgraph in self.subgraphs:
            for operator in self.items(subgraph.OperatorsLength(), subgraph.Operators):
                yield subgraph, operator, self.kinds[operator.OpcodeIndex()]

    def is_float(self, subgraph: Any, operator: Any, kind: _Kind) -> bool:
        """See `OperatorSite`; QUANTIZE and DEQUANTIZE compute nothing."""
        if kind.name in COMPUTE_NOTHING:
            return False
        made = list(self.items(operator.OutputsLength(), operator.Outputs))
        outputs = [index for index in made if index in self.read[id(subgraph)]] or made
        inputs = self.items(operator.InputsLength(), operator.Inputs)
        return any(dtype_of(subgraph.Tensors(index)) in _FLOATS for index in outputs) or any(
            dtype_of(tensor) in _FLOATS and not self.is_constant(tensor)
            for tensor in (subgraph.Tensors(index) for index in inputs if index >= 0)
        )

    def read_tensors(self, subgraph: Any) -> Iterator[int]:
        """Every tensor that an operator or the subgraph's caller reads; quantizers leave others as they were."""
        yield from self.items(subgraph.OutputsLength(), subgraph.Outputs)
        for operator in self.items(subgraph.OperatorsLength(), subgraph.Operators):
            yield from self.items(operator.InputsLength(), operator.Inputs)

    def has_unread(self, subgraph: Any, operator: Any) -> bool:
        outputs = self.items(operator.OutputsLength(), operator.Outputs)
        return any(index not in self.read[id(subgraph)] for index in outputs)

    def output_names(self, subgraph: Any, operator: Any) -> tuple[str, ...]:
        outputs = self.items(operator.OutputsLength(), operator.Outputs)
        return tuple(decoded(subgraph.Tensors(index).Name()) for index in outputs)

    def is_constant(self, tensor: Any) -> bool:
        return self.filled[tensor.Buffer()] or bool(tensor.ExternalBuffer() > 0)

    def io(self) -> tuple[tuple[QuantizedTensor, ...], tuple[QuantizedTensor, ...]]:
        signatures = list(self.items(self.model.SignatureDefsLength(), self.model.SignatureDefs))
        if not signatures:
            subgraph = self.subgraphs[0]
            inputs = self.items(subgraph.InputsLength(), subgraph.Inputs)
            outputs = self.items(subgraph.OutputsLength(), subgraph.Outputs)
            return self.unnamed(subgraph, inputs), self.unnamed(subgraph, outputs)
        all_inputs: list[QuantizedTensor] = []
        all_outputs: list[QuantizedTensor] = []
        for signature in signatures:
            prefix = qualified(decoded(signature.SignatureKey()), "") if len(signatures) > 1 else ""
            subgraph = self.subgraphs[signature.SubgraphIndex()]
            all_inputs += self.named(subgraph, self.items(signature.InputsLength(), signature.Inputs), prefix)
            all_outputs += self.named(subgraph, self.items(signature.OutputsLength(), signature.Outputs), prefix)
        return _by_name(all_inputs), _by_name(all_outputs)

    def named(self, subgraph: Any, entries: Iterator[Any], prefix: str) -> Iterator[QuantizedTensor]:
        for entry in entries:
            yield self.port(f"{prefix}{decoded(entry.Name())}", subgraph.Tensors(entry.TensorIndex()))

    def signatures(self) -> tuple[SignatureGraph, ...] | UnsetType:
        """The signatures, where there are several."""
        held = list(self.items(self.model.SignatureDefsLength(), self.model.SignatureDefs))
        places = {decoded(signature.SignatureKey()): signature.SubgraphIndex() for signature in held}
        return (
            UNSET
            if len(held) <= 1
            else tuple(
                SignatureGraph(key=key, subgraph=index, operators=self.subgraphs[index].OperatorsLength())
                for key, index in sorted(places.items())
            )
        )

    def unnamed(self, subgraph: Any, indices: Iterator[int]) -> tuple[QuantizedTensor, ...]:
        tensors = [subgraph.Tensors(index) for index in indices]
        return _by_name(self.port(decoded(tensor.Name()), tensor) for tensor in tensors)

    def port(self, name: str, tensor: Any) -> QuantizedTensor:
        signature = tuple(self.items(tensor.ShapeSignatureLength(), tensor.ShapeSignature))
        shape = signature or tuple(self.items(tensor.ShapeLength(), tensor.Shape))
        quantization = tensor.Quantization()
        per_tensor = quantization is not None and quantization.ScaleLength() == 1
        return QuantizedTensor(
            name=name,
            dtype=dtype_of(tensor),
            shape=shape,
            scale=float(quantization.Scale(0)) if per_tensor else None,
            zero_point=int(quantization.ZeroPoint(0)) if per_tensor else None,
        )

    def min_runtime_version(self) -> str:
        for entry in self.items(self.model.MetadataLength(), self.model.Metadata):
            if decoded(entry.Name()) == "min_runtime_version":
                buffer = self.model.Buffers(entry.Buffer())
                return "" if buffer.DataIsNone() else bytes(buffer.DataAsNumpy()).rstrip(b"\0").decode()
        return ""


def _by_name(tensors: Iterable[QuantizedTensor]) -> tuple[QuantizedTensor, ...]:
    return tuple(sorted(tensors, key=lambda tensor: tensor.name))


def _is_filled(buffer: Any) -> bool:
    """Whether a buffer holds data, in the flatbuffer or, by offset, behind it."""
    return bool(buffer.Offset() > 1 or (not buffer.DataIsNone() and buffer.DataAsNumpy().size > 0))


def _kind(code: Any) -> _Kind:
    name, kind = operator_of(code)
    return _Kind(name, code.Version(), kind)


def _unreadable(place: str, why: str) -> EvaluationError:
    return EvaluationError(
        f"is not a readable .tflite: {why}", where=place, fix="name a file that the TensorFlow Lite converter wrote"
    )
