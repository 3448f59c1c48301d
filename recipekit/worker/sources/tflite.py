"""Float `.tflite` files: converted from where they stand, and run by LiteRT, without TensorFlow."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from ai_edge_litert import schema_py_generated as schema

from recipekit.contracts import Census, LoadedModel, ModelSpec, QuantizedTensor, Signature, SourceSpec, TensorSpec
from recipekit.errors import EvaluationError, RecipekitError, SourceError
from recipekit.worker import census
from recipekit.worker.interpreter import Runner

_WEIGHTS = frozenset({schema.TensorType.FLOAT32, schema.TensorType.FLOAT64})
_CHANGES_VARIABLES = "ASSIGN_VARIABLE"
_MOST_ELEMENTS = 2**31 - 1
_FLOAT_MODEL = "name the float model that it was made of"


@dataclass(frozen=True)
class FlatbufferModel:
    """See `recipekit.worker.source_model.SourceModel`. One sample at a time, as the interpreter runs it.

    Attributes:
        path: the file.
        runner: the model in an interpreter.
        signature_key: of its signature; empty where it has none and goes by the names of its tensors.
        signature: inputs and outputs.
        parameters: number of its constant floats.
        stateful: whether it changes variables.
    """

    path: Path
    runner: Runner
    signature_key: str
    signature: Signature
    parameters: int
    stateful: bool

    @property
    def batched(self) -> bool:
        """Never: kernels may round otherwise for another batch, and the candidate runs one by one, too."""
        return False

    def by_signature(self, key: str) -> FlatbufferModel:
        """Itself: it has one signature."""
        del key
        return self

    def __call__(self, inputs: Mapping[str, npt.NDArray[Any]]) -> dict[str, npt.NDArray[Any]]:
        """Runs the model on a batch of one.

        Raises:
            EvaluationError: an input doesn't fit, or a kernel failed.
        """
        outputs = self.runner.run({name: array[0] for name, array in inputs.items()})
        return {name: np.asarray(array)[np.newaxis] for name, array in outputs.items()}

    def loaded(self, folder: Path, source: SourceSpec) -> LoadedModel:
        """The file itself: nothing is written."""
        del folder, source
        return LoadedModel(
            saved_model="",
            signatures={self.signature_key: self.signature},
            loader="litert",
            reason="the source is a float .tflite, which is quantized as it stands",
            parameters=self.parameters,
            flatbuffer=str(self.path),
        )


def load(spec: ModelSpec) -> FlatbufferModel:
    """Opens a float `.tflite`.

    Raises:
        SourceError: the file is missing, damaged or quantized, has several signatures, or LiteRT can't run it.
    """
    path = Path(spec.source.path)
    try:
        taken = census.take(path)
        _refuse_select_tf_ops(taken, path)
        key, parameters = _look_inside(path)
        runner = Runner(path)
    except EvaluationError as error:
        raise SourceError(error.what, where=str(path), fix=error.fix) from error
    except RecipekitError:
        raise
    except Exception as error:  # the accessors check nothing by themselves
        raise SourceError(
            f"is not a readable .tflite: {type(error).__name__}: {error}", where=str(path), fix="copy or make it again"
        ) from error
    signature = Signature(inputs=_specs(taken.inputs), outputs=_specs(taken.outputs))
    stateful = any(operator.name == _CHANGES_VARIABLES for operator in taken.operators)
    return FlatbufferModel(path, runner, key, signature, parameters, stateful)


def _refuse_select_tf_ops(taken: Census, path: Path) -> None:
    if taken.select_tf_ops:
        raise SourceError(
            f"holds operators of TensorFlow: {', '.join(taken.select_tf_ops)}",
            where=str(path),
            fix="LiteRT can't run these: convert the model from its own source, with source.kind keras or saved_model",
        )


def _look_inside(path: Path) -> tuple[str, int]:
    """The signature's key, and how many numbers the model's weights hold.

    Raises:
        SourceError: there are several signatures, or the model is quantized.
    """
    model = schema.Model.GetRootAs(path.read_bytes())
    keys = [(model.SignatureDefs(index).SignatureKey() or b"").decode() for index in range(model.SignatureDefsLength())]
    if len(keys) > 1:
        raise SourceError(
            f"has the signatures {', '.join(sorted(keys))}, and only one can be converted",
            where=str(path),
            fix="convert one signature at a time into a .tflite of its own",
        )
    weights: dict[int, int] = {}
    for tensor in _tensors(model):
        _refuse_impossible(tensor, path)
        constant = _is_constant(model, tensor)
        _refuse_quantized(tensor, constant, path)
        if constant and tensor.Type() in _WEIGHTS:
            weights[tensor.Buffer()] = math.prod(tensor.Shape(axis) for axis in range(tensor.ShapeLength()))
    return "".join(keys), sum(weights.values())


def _refuse_impossible(tensor: Any, path: Path) -> None:
    """Refuses shapes that overflow the runtime's sizes, which it doesn't survive."""
    shape = [tensor.Shape(axis) for axis in range(tensor.ShapeLength())]
    if math.prod(map(abs, shape)) >= _MOST_ELEMENTS:
        name = (tensor.Name() or b"").decode(errors="replace")
        raise SourceError(
            f"is not a readable .tflite: its tensor '{name}' claims the shape {shape}, more than a runtime can hold",
            where=str(path),
            fix="copy or make it again; it is damaged, or built to harm",
        )


def _refuse_quantized(tensor: Any, constant: bool, path: Path) -> None:
    quantization = tensor.Quantization()
    half = constant and tensor.Type() == schema.TensorType.FLOAT16
    if half or (quantization is not None and quantization.ScaleLength() > 0):
        name = (tensor.Name() or b"").decode()
        kind = "float16" if half else "quantized"
        raise SourceError(f"is quantized already: its tensor '{name}' is {kind}", where=str(path), fix=_FLOAT_MODEL)


def _tensors(model: Any) -> Iterator[Any]:
    for graph in (model.Subgraphs(index) for index in range(model.SubgraphsLength())):
        yield from (graph.Tensors(index) for index in range(graph.TensorsLength()))


def _is_constant(model: Any, tensor: Any) -> bool:
    buffer = model.Buffers(tensor.Buffer())
    return bool(buffer.DataLength() > 0 or buffer.Offset() > 1 or tensor.ExternalBuffer() > 0)


def _specs(tensors: tuple[QuantizedTensor, ...]) -> tuple[TensorSpec, ...]:
    return tuple(
        TensorSpec(
            name=tensor.name, shape=tuple(None if size == -1 else size for size in tensor.shape), dtype=tensor.dtype
        )
        for tensor in tensors
    )
