"""The representative dataset as TFLiteConverter asks for it, and models that its calibrator doesn't survive.

It knows arrays, signatures and graphs; what the converter does with the ranges is not its business.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from tensorflow.core.framework import types_pb2
from tensorflow.core.protobuf import saved_model_pb2

from recipekit.contracts import LoadedModel, Signature, united
from recipekit.errors import ConversionError
from recipekit.worker.engines.converter_failures import input_shapes
from recipekit.worker.samples import NamedSample
from recipekit.worker.signature_samples import Batches
from recipekit.worker.tensors import Tensors

_LOOPS = frozenset({"While", "StatelessWhile"})


class RepresentativeDataset:
    """Calibration samples as mappings of input name to an array with batch dimension 1.

    By name, because TensorFlow orders the inputs of a flatbuffer by rules of its own. Where the model has several
    signatures, each comes as a pair with the key of the signature that it is for.
    """

    def __init__(self, samples: Iterable[NamedSample], signatures: Mapping[str, Signature]) -> None:
        """Takes the samples of a model with these signatures, by key.

        Raises:
            ConversionError: an input has a fixed batch other than 1, or takes text.
        """
        self._samples = samples
        self._batches = Batches(signatures)
        tensors = united(signatures)
        for spec in tensors.inputs:
            if spec.dtype == "str":
                raise ConversionError(
                    f"the converter's calibrator reads text wrongly or crashes on it, and the input '{spec.name}' takes"
                    " text",
                    where="converter.quantization",
                    fix="choose the engine ai_edge_quantizer, or the quantization dynamic_range, float16 or none",
                )
            if spec.shape and spec.shape[0] not in (None, 1):
                raise ConversionError(
                    f"the input '{spec.name}' has a fixed batch of {spec.shape[0]}, but samples come one at a time",
                    where="source.input_shapes",
                    fix=f"fix the batch to 1: `source.input_shapes: {input_shapes(tensors)}`",
                )

    def __call__(self) -> Iterator[Tensors | tuple[str, Tensors]]:
        """Every sample, read anew at each call; for int16x8 the converter calls twice."""
        for sample in self._samples:
            batch = self._batches.of_one(sample)
            yield (sample.signature, batch) if sample.signature else batch


def refuse_fatal_loops(loaded: LoadedModel) -> None:
    """Refuses a model with a loop over a tensor list: the calibrator of TensorFlow 2.21 ends the process on it.

    These are recurrent layers that aren't unrolled, `tf.map_fn` and `tf.TensorArray`. Functions marked as an LSTM
    (those of Keras 2) are fused into one operator and calibrate well.

    Raises:
        ConversionError: there is such a loop; each is named.
    """
    loops = sorted(_tensor_list_loops(loaded))
    if loops:
        raise ConversionError(
            f"the converter crashes while it calibrates loops over tensor lists: {', '.join(loops)}",
            fix="build recurrent layers with unroll=True and avoid tf.map_fn and tf.TensorArray,"
            " or choose the quantization dynamic_range, float16 or none",
        )


def _tensor_list_loops(loaded: LoadedModel) -> set[str]:
    """Names of the loops that carry a tensor list and that a signature reaches."""
    model = saved_model_pb2.SavedModel()
    model.ParseFromString(Path(loaded.saved_model, "saved_model.pb").read_bytes())
    loops: set[str] = set()
    for meta_graph in model.meta_graphs:
        for key in loaded.signatures.keys() & meta_graph.signature_def.keys():
            outputs = meta_graph.signature_def[key].outputs.values()
            reached = _reached(meta_graph.graph_def, [output.name for output in outputs])
            loops.update(node.name for node in reached if _carries_tensor_list(node))
    return loops


def _reached(graph: Any, outputs: list[str]) -> Iterator[Any]:
    """Nodes that outputs of a graph depend on, and all nodes of functions that those call."""
    nodes = {node.name: node for node in graph.node}
    functions = {function.signature.name: function for function in graph.library.function}
    pending = [_node_name(output) for output in outputs]
    while pending:
        node = nodes.pop(pending.pop(), None)
        if node is not None:
            pending += [_node_name(name) for name in node.input]
            yield node
            yield from _inside(node, functions)


def _inside(node: Any, functions: dict[str, Any]) -> Iterator[Any]:
    """All nodes of the functions that a node calls, whatever their depth; each function is visited once a graph."""
    for name in _called(node):
        function = functions.pop(name, None)
        if function is not None and not function.attr["api_implements"].s.startswith(b"lstm"):
            for inner in function.node_def:
                yield inner
                yield from _inside(inner, functions)


def _called(node: Any) -> list[str]:
    values = node.attr.values()
    return [function.name for value in values for function in (value.func, *value.list.func) if function.name]


def _carries_tensor_list(node: Any) -> bool:
    return node.op in _LOOPS and types_pb2.DT_VARIANT in node.attr["T"].list.type


def _node_name(tensor: str) -> str:
    return tensor.removeprefix("^").partition(":")[0]
