"""What a recipe says about TFLiteConverter, set on a converter.

Recipes speak the converter's own terms, so each key becomes an attribute. This module runs nothing and reads no file.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from recipekit.contracts import ConverterSpec, LoweringSpec
from recipekit.errors import ConversionError
from recipekit.nearest import did_you_mean
from recipekit.worker.engines.converter_flags import check_flags

_INTEGER_OPS = {
    "int8": "TFLITE_BUILTINS_INT8",
    "int16x8": "EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8",
}
_FLOAT_OPS = "TFLITE_BUILTINS"


def float32(lowering: LoweringSpec) -> ConverterSpec:
    """The scheme without quantization that gives a lowering."""
    return ConverterSpec(
        quantization="none",
        supported_ops=lowering.supported_ops,
        allow_custom_ops=lowering.allow_custom_ops,
        flags=lowering.flags,
    )


def configure(converter: Any, spec: ConverterSpec) -> None:
    """Sets everything but the samples and the rules.

    Args:
        converter: a fresh `tf.lite.TFLiteConverter`.
        spec: how it is set up.

    Raises:
        ConversionError: an op set or a flag doesn't exist, or a flag has a value of another type.
    """
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
    if spec.quantization in _INTEGER_OPS:
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
