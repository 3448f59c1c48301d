"""The conversion engine `ai_edge_quantizer`: a float flatbuffer through Google's AI Edge Quantizer, without TensorFlow.

It quantizes what `lower` made, or a float `.tflite` as it came, by ranges that `calibrate` collected. It knows nothing
of stages and files of outputs, of acceptance bounds, or of how samples are read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ai_edge_quantizer.model_modifier import ModelModifier
from ai_edge_quantizer.params_generator import ParamsGenerator
from ai_edge_quantizer.qtyping import OpToTensorParams, QuantTransformation, TensorTransformationParams

from recipekit.contracts import CalibrateRequest, QuantizeRequest
from recipekit.errors import ConversionError, in_a_line
from recipekit.worker.census import operators_of
from recipekit.worker.engines import ai_edge_model, ai_edge_ranges
from recipekit.worker.engines.ai_edge_calibration import collect
from recipekit.worker.engines.ai_edge_plan import Plan, plan
from recipekit.worker.engines.ai_edge_verification import verify
from recipekit.worker.engines.rules import match_rules
from recipekit.worker.samples import NamedSample

_NOBODY = -1
"""Stands for an operator's number where none reads a tensor."""

_Params = dict[str, TensorTransformationParams]


class AIEdgeQuantizerEngine:
    """See `recipekit.contracts.Engine`."""

    def calibrate(self, request: CalibrateRequest, samples: Iterable[NamedSample]) -> bytes:
        """The ranges of all tensors, as `ai_edge_ranges` writes them; every scheme over the model can use them.

        Raises:
            ConversionError: the model can't be calibrated.
            RecipekitError: whatever the samples raise while they are read.
        """
        return ai_edge_ranges.dump(collect(request, samples))

    def quantize(self, request: QuantizeRequest, samples: Iterable[NamedSample] | None) -> bytes:
        """The quantized flatbuffer; the float model's own bytes where neither scheme nor rules quantize anything.

        Raises:
            ConversionError: a rule matches nothing, the quantizer can't do what the recipe asks for, or the result
                isn't what it asks for.
        """
        del samples
        spec = request.converter
        flatbuffer = Path(request.float32).read_bytes()
        sites = operators_of(flatbuffer)
        if {spec.quantization, *match_rules(spec.rules, sites)} <= {"none", None}:
            return flatbuffer
        model = ai_edge_model.read(flatbuffer)
        planned = plan(model, sites, spec)
        ranges = ai_edge_ranges.load(Path(request.calibration.path).read_bytes()) if request.calibration else {}
        quantized = _quantize(model, planned, ranges)
        verify(ai_edge_model.with_signature(flatbuffer), quantized, planned, spec)
        return quantized


def _quantize(model: Any, planned: Plan, ranges: ai_edge_ranges.Ranges) -> bytes:
    with _foreign():
        params = ParamsGenerator(model).generate_quantization_parameters(
            planned.recipe(), ranges, enable_progress_bar=False
        )
    if not _changes_operators(params):
        raise ConversionError(
            "ai_edge_quantizer leaves every operator as it is: none that it could quantize has constant weights",
            where="converter.quantization",
            fix="choose none, or int8 or int16x8, which quantize activations too",
        )
    _spare_shape_readers(params, ai_edge_model.shape_readers(model))
    _include_unread(params)
    with _foreign():
        return bytes(ModelModifier(model).modify_model(params, enable_progress_bar=False))


@contextmanager
def _foreign() -> Iterator[None]:
    """Turns whatever the quantizer raises into a ConversionError."""
    try:
        yield
    except Exception as error:
        raise ConversionError(
            f"ai_edge_quantizer can't quantize the model: {in_a_line(error)}",
            where="converter",
            fix="choose another quantization, granularity or algorithm, or leave operators out with `rules`;"
            " the log holds the traceback",
        ) from error


def _changes_operators(params: _Params) -> bool:
    uses = (use for tensor in params.values() for use in (tensor.producer, *(tensor.consumers or [])))
    return any(use is not None and use.parameters is not None and use.subgraph_op_id >= 0 for use in uses)


def _include_unread(params: _Params) -> None:
    """Quantizes results that no operator reads like those beside them.

    The quantizer leaves them float, and LiteRT refuses an operator such as SPLIT with results of both types.
    """
    for tensor in params.values():
        made = tensor.producer
        if made is not None and made.parameters is not None and not tensor.consumers:
            tensor.consumers = [OpToTensorParams(_NOBODY, [QuantTransformation.ADD_QUANTIZE], made.parameters)]


def _spare_shape_readers(params: _Params, readers: set[tuple[str, int]]) -> None:
    """Lets operators that want a tensor's shape alone read it quantized.

    The quantizer doesn't know SHAPE and would put a DEQUANTIZE before it, a float operator in an integer model.
    """
    for name, number in readers:
        ends = [params[name].producer, *(params[name].consumers or [])]
        scale = next((end.parameters for end in ends if end is not None and end.parameters is not None), None)
        if scale is not None:
            as_integers = OpToTensorParams(number, [QuantTransformation.ADD_QUANTIZE], scale)
            params[name].consumers = [
                as_integers if use.subgraph_op_id == number else use for use in params[name].consumers or []
            ]
