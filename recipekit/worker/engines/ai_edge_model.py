"""A float flatbuffer as the AI Edge Quantizer takes it apart: its signatures, and operators by its own names.

It knows no scheme and no ranges.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.tools import flatbuffer_utils
from ai_edge_quantizer.qtyping import TFLOperationName
from ai_edge_quantizer.utils.tfl_flatbuffer_utils import (
    TFL_OP_CODE_TO_NAME,
    get_op_scope,
    get_subgraph_input_output_operators,
    read_model,
)

SIGNATURE_KEY = "serving_default"
"""The key of the signature that a model without any is given."""

SHAPE = "SHAPE"
"""The operator that reads the shape of a tensor and none of its values."""


class Site(NamedTuple):
    """One operator, real or virtual, as the quantizer's recipes speak of it.

    Attributes:
        op: its kind; None where the quantizer doesn't know it. `INPUT` and `OUTPUT` are the model's own ends.
        scope: what patterns of recipes are matched against: the names of its outputs.
        main: whether it belongs to a signature's own graph, not to the body of a loop or of a composite.
    """

    op: TFLOperationName | None
    scope: str
    main: bool


def read(flatbuffer: bytes) -> Any:
    """The model with its signatures. A file without signatures gets one with the names of its tensors.

    They have to be kept there: the quantizer renames the tensors of outputs that it converts.
    """
    model = read_model(memoryview(flatbuffer))
    if not model.signatureDefs:
        graph = model.subgraphs[0]
        signature = schema.SignatureDefT()
        signature.signatureKey = SIGNATURE_KEY.encode()
        signature.subgraphIndex = 0
        signature.inputs = [_named(graph, index) for index in graph.inputs]
        signature.outputs = [_named(graph, index) for index in graph.outputs]
        model.signatureDefs = [signature]
    return model


def with_signature(flatbuffer: bytes) -> bytes:
    """The flatbuffer itself, or one with a signature where it has none."""
    if schema.Model.GetRootAs(flatbuffer).SignatureDefsLength():
        return flatbuffer
    return bytes(flatbuffer_utils.convert_object_to_bytearray(read(flatbuffer)))


def operators(model: Any) -> list[Site]:
    """The operators in the order of the file, one subgraph after the other."""
    main = _main(model)
    return [
        Site(_kind(model, operator), get_op_scope(operator, graph.tensors), index in main)
        for index, graph in enumerate(model.subgraphs)
        for operator in graph.operators
    ]


def ends(model: Any) -> Iterator[Site]:
    """The virtual operators `INPUT` and `OUTPUT` of each signature's graph."""
    for graph in (model.subgraphs[index] for index in sorted(_main(model))):
        for end in get_subgraph_input_output_operators(graph):
            yield Site(end.op_key, get_op_scope(end, graph.tensors), True)


def shape_readers(model: Any) -> set[tuple[str, int]]:
    """The operators SHAPE: the name of the tensor that each reads, and the operator's number in its subgraph."""
    return {
        (graph.tensors[operator.inputs[0]].name.decode(), number)
        for graph in model.subgraphs
        for number, operator in enumerate(graph.operators)
        if model.operatorCodes[operator.opcodeIndex].builtinCode == getattr(schema.BuiltinOperator, SHAPE)
    }


def _main(model: Any) -> set[int]:
    """Numbers of the graphs behind signatures."""
    return {signature.subgraphIndex for signature in model.signatureDefs}


def _kind(model: Any, operator: Any) -> TFLOperationName | None:
    kind: TFLOperationName | None = TFL_OP_CODE_TO_NAME.get(model.operatorCodes[operator.opcodeIndex].builtinCode)
    return kind


def _named(graph: Any, index: int) -> Any:
    entry = schema.TensorMapT()
    entry.name = graph.tensors[index].name
    entry.tensorIndex = index
    return entry
