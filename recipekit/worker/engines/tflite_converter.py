"""The conversion engine `tflite_converter`: a float SavedModel through `tf.lite.TFLiteConverter`.

Every result has the bytes of the public one call, `from_saved_model(...).convert()`. It is made in steps that schemes
share wherever that is known to give these bytes, and by the call itself elsewhere; the call is also what explains
a failure. This module knows nothing of stages and of acceptance bounds.
"""

from __future__ import annotations

import traceback
from collections import deque
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import tensorflow as tf

from recipekit.contracts import CalibrateRequest, ConverterSpec, LoadedModel, LoweringSpec, QuantizeRequest
from recipekit.errors import ConversionError, RecipekitError
from recipekit.same_samples import require_same_samples
from recipekit.worker.census import OperatorSite, operators_of
from recipekit.worker.engines.calibrated_ranges import require_finite
from recipekit.worker.engines.calibration import RepresentativeDataset, refuse_fatal_loops
from recipekit.worker.engines.converter_failures import classify, require_flatbuffer
from recipekit.worker.engines.converter_internals import open_steps
from recipekit.worker.engines.converter_settings import configure, float32
from recipekit.worker.engines.float_fallback import FloatFallback, float_fallback
from recipekit.worker.engines.shared_buffers import separate
from recipekit.worker.engines.unread_results import settled
from recipekit.worker.layer_map import float_places
from recipekit.worker.samples import NamedSample
from recipekit.worker.signature_samples import Readings


def lower(loaded: LoadedModel, spec: LoweringSpec) -> bytes:
    """Converts a float model without quantization.

    Args:
        loaded: the SavedModel and the signatures in it.
        spec: how the converter is set up.

    Returns:
        The float32 flatbuffer; the same bytes for the same arguments, in any process.

    Raises:
        UnsupportedOp: the model uses operators that the op sets lack.
        ConversionError: the spec doesn't fit the converter or the model, or the converter refused.
    """
    return _convert(loaded, float32(spec))


class TFLiteConverterEngine:
    """`tf.lite.TFLiteConverter` as an engine; its ranges are a float32 flatbuffer that holds them."""

    def calibrate(self, request: CalibrateRequest, samples: Iterable[NamedSample]) -> bytes:
        """The float32 conversion with the minimum and maximum of each tensor over all samples.

        Returns:
            The calibrated flatbuffer; nothing where only the one call can calibrate this model, or can tell why it
            can't be calibrated. It will read the samples itself.

        Raises:
            ConversionError: the calibrator wouldn't survive the model, or a tensor was infinite on a sample.
            RecipekitError: whatever the samples raise while they are read.
        """
        dataset = RepresentativeDataset(samples, request.loaded.signatures)
        refuse_fatal_loops(request.loaded)
        steps = open_steps(request.loaded, {})
        flatbuffer = separate(Path(request.float32).read_bytes())
        if steps is not None and flatbuffer is not None:
            try:
                calibrated = steps.calibrate(flatbuffer, dataset)
            except RecipekitError:
                raise
            except Exception:  # noqa: BLE001  the one call fails for the same reason, or doesn't
                traceback.print_exc()
            else:
                require_finite(calibrated)
                return calibrated
        deque(dataset(), maxlen=0)
        return b""

    def quantize(self, request: QuantizeRequest, samples: Iterable[NamedSample] | None) -> bytes:
        """The flatbuffer of a scheme.

        Returns:
            The flatbuffer; the same bytes for the same request, in any process.

        Raises:
            UnsupportedOp: the model uses operators that the scheme lacks.
            ConversionError: the scheme doesn't fit the converter or the model, or the converter refused.
            RecipekitError: whatever the samples raise while they are read.
        """
        spec = request.converter
        if request.trained_ranges:
            return _with_trained_ranges(request)
        float32_file = Path(request.float32)
        operators = operators_of(float32_file.read_bytes())  # a large model is not held while it is quantized
        fallback = float_fallback(spec, operators)
        if spec.needs_samples:
            return _from_ranges(request, operators, fallback) or _with_samples(request, fallback, samples)
        return float32_file.read_bytes() if _is_float32(spec) else _convert(request.loaded, spec)


def _is_float32(spec: ConverterSpec) -> bool:
    plain = float32(spec.lowering)
    keys = ("quantization", "input_type", "output_type", "supported_ops", "flags")
    return all(getattr(spec, key) == getattr(plain, key) for key in keys)


def _convert(loaded: LoadedModel, spec: ConverterSpec) -> bytes:
    """A conversion without samples."""
    steps = open_steps(loaded, spec.flags)
    if steps is not None:
        try:
            flatbuffer = steps.convert(spec)
        except RecipekitError:
            raise
        except Exception:  # noqa: BLE001  the one call fails for the same reason, or doesn't
            traceback.print_exc()
        else:
            require_flatbuffer(flatbuffer)
            return flatbuffer
    return _one_call(loaded, spec, None)


def _from_ranges(
    request: QuantizeRequest, operators: Sequence[OperatorSite], fallback: FloatFallback | None
) -> bytes | None:
    """The flatbuffer out of the stored ranges; None where the one call has to make it."""
    spec = request.converter
    ranges = Path(request.calibration.path).read_bytes() if request.calibration is not None else b""
    steps = open_steps(request.loaded, spec.flags) if ranges else None
    if steps is None:
        return None
    try:
        if not steps.quantizes(spec, operators):
            return None
        flatbuffer = settled(partial(steps.quantize, spec, ranges, fallback), operators)
    except RecipekitError:
        raise
    except Exception as error:
        if fallback is not None:
            raise classify(error, request.loaded) from error
        traceback.print_exc()
        return None
    require_flatbuffer(flatbuffer)
    if fallback is not None:
        fallback.require_float(flatbuffer)
    return flatbuffer


def _with_trained_ranges(request: QuantizeRequest) -> bytes:
    """The flatbuffer of a model that was trained for quantization, which holds its ranges: it needs no samples."""
    spec = request.converter
    # For integers alone the converter demands samples, even where it has no use for them. As dynamic range it finds the
    # ranges in the graph and takes those; whether that left nothing in float, the file is asked.
    flatbuffer = _one_call(request.loaded, msgspec.structs.replace(spec, quantization="dynamic_range"), None)
    float_ops = float_places(flatbuffer, request.loaded.layers)
    if float_ops and not spec.allow_float:
        raise ConversionError(
            f"operators of the trained model have no ranges and stay float: {', '.join(map(str, float_ops))}",
            where="converter.allow_float",
            fix="set `allow_float: true`, or leave `quantization_aware_training` out and calibrate with samples",
        )
    return flatbuffer


def _with_samples(
    request: QuantizeRequest, fallback: FloatFallback | None, samples: Iterable[NamedSample] | None
) -> bytes:
    """The flatbuffer by the one call, which calibrates by itself."""
    spec, loaded = request.converter, request.loaded
    if samples is None:
        raise ConversionError(
            f"the quantization {spec.quantization} needs samples to calibrate with",
            where="representative_dataset",
            fix="declare a representative_dataset, or choose dynamic_range, float16 or none",
        )
    if fallback is not None:
        raise ConversionError(
            "this model or these flags need TFLiteConverter as one call, which takes no rules",
            where="converter.rules",
            fix="take the rules or the flags out, or choose the engine ai_edge_quantizer",
        )
    if spec.quantization == "int16x8" and len(loaded.signatures) > 1:
        raise ConversionError(
            "this model or these flags need TFLiteConverter as one call, which in TensorFlow 2.21 makes int16x8 of"
            " weights that signatures share a second time and gives wrong numbers",
            where="converter.quantization",
            fix="take the flags out, choose the quantization int8 or the engine ai_edge_quantizer, or convert one"
            " signature at a time",
        )
    dataset = RepresentativeDataset(samples, loaded.signatures)
    refuse_fatal_loops(loaded)
    flatbuffer = _one_call(loaded, spec, dataset)
    if request.calibration is not None and isinstance(samples, Readings):
        require_same_samples(request.calibration.samples, samples.sample_set(), "representative_dataset")
    return flatbuffer


def _one_call(loaded: LoadedModel, spec: ConverterSpec, dataset: RepresentativeDataset | None) -> bytes:
    """The conversion by the public API alone."""
    try:
        converter: Any = tf.lite.TFLiteConverter.from_saved_model(
            loaded.saved_model, signature_keys=list(loaded.signatures)
        )
        configure(converter, spec)
        converter.representative_dataset = dataset
        flatbuffer: bytes = converter.convert()
    except RecipekitError:
        raise
    except Exception as error:
        raise classify(error, loaded) from error
    require_flatbuffer(flatbuffer)
    return flatbuffer
