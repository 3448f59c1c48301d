"""The lower stage: the plain float32 conversion, the yardstick of size and speed."""

from __future__ import annotations

from pathlib import Path

import msgspec

from recipekit import digests, registry
from recipekit.contracts import ConverterSpec, Flatbuffer, LowerRequest

_FLOAT_OPS = frozenset({"TFLITE_BUILTINS", "SELECT_TF_OPS", "EXPERIMENTAL_STABLEHLO_OPS"})
_QUANTIZER_FLAGS = frozenset(
    {"experimental_new_dynamic_range_quantizer", "experimental_new_quantizer", "experimental_use_stablehlo_quantizer"}
)


def run(request: LowerRequest, folder: Path) -> Flatbuffer:
    """Converts the float model without quantization, with float32 inputs and outputs, into `folder/model.tflite`.

    Raises:
        UnsupportedOp: the model uses operators that the recipe's op sets lack.
        ConversionError: the converter refused.
    """
    convert = registry.plugin("engines", "tflite_converter")
    data: bytes = convert(request.loaded, _without_quantization(request.converter))
    path = folder / "model.tflite"
    path.write_bytes(data)
    return Flatbuffer(path=str(path), sha256=digests.of_bytes(data), size=len(data))


def _without_quantization(spec: ConverterSpec) -> ConverterSpec:
    float_ops = tuple(name for name in spec.supported_ops if name in _FLOAT_OPS)
    return msgspec.structs.replace(
        spec,
        quantization="none",
        granularity="per_channel",
        input_type="float32",
        output_type="float32",
        supported_ops=float_ops or ("TFLITE_BUILTINS",),
        flags={name: value for name, value in spec.flags.items() if name not in _QUANTIZER_FLAGS},
    )
