"""The conversion engine `tflite_converter`: a float SavedModel through `tf.lite.TFLiteConverter`.

Recipes speak the converter's own terms, so this module only sets its attributes, runs it, and looks at what came out.
It knows nothing of stages and files of outputs, of acceptance bounds, or of how samples are read.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import tensorflow as tf

from recipekit.contracts import ConverterSpec, LoadedModel
from recipekit.errors import ConversionError, RecipekitError
from recipekit.nearest import did_you_mean
from recipekit.worker.engines.calibration import RepresentativeDataset, refuse_fatal_loops
from recipekit.worker.engines.converter_failures import classify, require_flatbuffer
from recipekit.worker.engines.converter_flags import check_flags
from recipekit.worker.samples import NamedSample

_INTEGER_OPS = {
    "int8": "TFLITE_BUILTINS_INT8",
    "int16x8": "EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8",
}
_FLOAT_OPS = "TFLITE_BUILTINS"


def convert(loaded: LoadedModel, spec: ConverterSpec, samples: Iterable[NamedSample] | None = None) -> bytes:
    """Converts a float model as a recipe declares it.

    Args:
        loaded: the SavedModel and the signature in it.
        spec: how the converter is set up.
        samples: calibration samples, read once; needed by `int8` and `int16x8`, not read by others.

    Returns:
        The flatbuffer; the same bytes for the same arguments, in any process.

    Raises:
        UnsupportedOp: the model uses operators that the op sets lack.
        ConversionError: the spec doesn't fit the converter or the model, or the converter refused.
        RecipekitError: whatever the samples raise while they are read.
    """
    calibration = _calibration(loaded, spec, samples)
    try:
        converter = tf.lite.TFLiteConverter.from_saved_model(loaded.saved_model, signature_keys=[loaded.signature_key])
        _set_up(converter, spec)
        converter.representative_dataset = calibration
        flatbuffer: bytes = converter.convert()
    except RecipekitError:
        raise
    except Exception as error:
        raise classify(error, loaded.signature, calibrated=calibration is not None) from error
    require_flatbuffer(flatbuffer)
    return flatbuffer


def _calibration(
    loaded: LoadedModel, spec: ConverterSpec, samples: Iterable[NamedSample] | None
) -> RepresentativeDataset | None:
    if not spec.needs_samples:
        return None
    if samples is None:
        raise ConversionError(
            f"the quantization {spec.quantization} needs samples to calibrate with",
            where="representative_dataset",
            fix="declare a representative_dataset, or choose dynamic_range, float16 or none",
        )
    calibration = RepresentativeDataset(samples, loaded.signature)
    refuse_fatal_loops(loaded)
    return calibration


def _set_up(converter: Any, spec: ConverterSpec) -> None:
    # The metadata holds a hash of the model as it was before the last pass, which is wrong for some ways to the same
    # bytes, and the version of TensorFlow, which would tell apart files that are equal. The manifest records both.
    converter.exclude_conversion_metadata = True
    converter.allow_custom_ops = spec.allow_custom_ops
    converter.inference_input_type = tf.dtypes.as_dtype(spec.input_type)
    converter.inference_output_type = tf.dtypes.as_dtype(spec.output_type)
    converter.target_spec.supported_ops = _ops(spec)
    if spec.quantization != "none":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if spec.quantization == "float16":
        converter.target_spec.supported_types = [tf.float16]
    if spec.granularity == "per_tensor":
        _disable_per_channel(converter)
    check_flags(converter, spec.flags)
    for name, value in spec.flags.items():
        setattr(converter, name, value)


def _ops(spec: ConverterSpec) -> list[Any]:
    names = list(spec.supported_ops)
    if spec.needs_samples:
        integer = _INTEGER_OPS[spec.quantization]
        names = [_FLOAT_OPS, integer, *names] if spec.allow_float else [integer]
    return [_ops_set(name) for name in dict.fromkeys(names)]


def _ops_set(name: str) -> Any:
    try:
        return tf.lite.OpsSet[name]
    except KeyError:
        known = [member.name for member in tf.lite.OpsSet]
        raise ConversionError(
            f"there is no op set '{name}'{did_you_mean(name, known)}",
            where="converter.supported_ops",
            fix=f"use {', '.join(known)}",
        ) from None


def _disable_per_channel(converter: Any) -> None:
    """One scale a weight tensor: TensorFlow 2.21 has only this private attribute for it.

    It reaches convolutions and dense layers alike, in every quantization.
    """
    converter._experimental_disable_per_channel = True
