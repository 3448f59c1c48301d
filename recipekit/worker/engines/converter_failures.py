"""What TFLiteConverter gives when it fails, turned into typed errors that name the cause and a way out.

The rules are read from messages of TensorFlow 2.21; a message that none knows still gives its last meaningful line.
This module must not import TensorFlow: it works on exceptions alone.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from recipekit.contracts import LoadedModel, Signature
from recipekit.errors import ConversionError, RecipekitError, UnsupportedOp
from recipekit.worker.engines.unsupported_ops import unsupported

_SEE_LOG = "see the stage's log for all that TensorFlow printed"


class _Rule(NamedTuple):
    """A message that TensorFlow gives, and what it means.

    Attributes:
        pattern: searched in the message; its groups fill `what`.
        error: the class to raise.
        what: the cause, with a `{}` for each group.
        fix: the way out; `{input_shapes}` stands for the model's own shapes with batch 1.
    """

    pattern: str
    error: type[RecipekitError]
    what: str
    fix: str


_UNCALIBRATED = "choose the quantization dynamic_range, float16 or none, or replace the operator"

_RULES = (
    _Rule(
        r"TensorListReserve' op requires element_shape to be (?:static|1D tensor)",
        ConversionError,
        "a recurrent layer or a loop needs shapes that are known: TensorListReserve requires a static element_shape",
        "fix the batch: `source.input_shapes: {input_shapes}`",
    ),
    _Rule(
        r"Quantization to 16x8-bit not yet supported for op: '(\w+)'",
        UnsupportedOp,
        "{} has no kernel with 16-bit activations and 8-bit weights",
        "set `allow_float: true`, or choose the quantization int8",
    ),
    _Rule(
        r"Unsupported (input|output) type (\w+) for",
        ConversionError,
        "an {} of the model stays float, so it can't be {}",
        "set `input_type: float32` and `output_type: float32`",
    ),
    _Rule(
        r"Select TensorFlow op\(s\).*?\(Flex(\w+)\) failed to prepare",
        ConversionError,
        "the calibrator can't run the TensorFlow operator {}, which SELECT_TF_OPS keeps",
        _UNCALIBRATED,
    ),
    _Rule(
        r"unresolved custom op: (\w+)",
        ConversionError,
        "the calibrator can't run the custom operator {}",
        _UNCALIBRATED,
    ),
    _Rule(
        r"Empty min/max for tensor (\S+)",
        ConversionError,
        "no range for integers or inside of a loop: the quantizer wants one of the tensor {}",
        "choose the quantization int8, dynamic_range, float16 or none",
    ),
    _Rule(
        r"Cannot set tensor: (Size mismatch, expected \d+ for dim \d+ but found \d+)",
        ConversionError,
        "calibration samples differ in shape: {}",
        "bring them to one shape with `preprocess`, and fix it: `source.input_shapes: {input_shapes}`",
    ),
    _Rule(
        r"variable != nullptr was not true",
        ConversionError,
        "the model reads a variable that has no value: its weights were not saved with the SavedModel",
        "keep the weights as attributes of the object that is saved",
    ),
    _Rule(
        r"((?:The |Unsupported `)inference_(?:input|output)_type[^\n]*)",
        ConversionError,
        "the quantization doesn't go with the types of inputs and outputs: {}",
        "set `input_type` and `output_type` to one of them",
    ),
)


def classify(error: Exception, loaded: LoadedModel) -> RecipekitError:
    """The typed error for what the converter raised.

    Args:
        error: as it left `convert()`; a `ConverterError` carries the operators and their places in `errors`.
        loaded: the float model, for layers in the message and shapes in the advice.

    Returns:
        UnsupportedOp or ConversionError, to be raised from `error`.
    """
    return unsupported(error, loaded.layers_by_scope) or _by_rule(error, loaded.tensors) or _other(error)


def input_shapes(signature: Signature) -> str:
    """A model's `source.input_shapes` with batch 1, as a recipe writes it; `N` stands for other dynamic dimensions."""
    shapes = (
        f"{spec.name}: [{', '.join(['1', *('N' if size is None else str(size) for size in spec.shape[1:])])}]"
        for spec in signature.inputs
        if spec.shape
    )
    return f"{{{', '.join(shapes)}}}"


def require_flatbuffer(data: bytes) -> None:
    """Checks that bytes are a TensorFlow Lite flatbuffer with something in it.

    An identifier without a body crashes whatever reads it next, interpreters included.

    Raises:
        ConversionError: they aren't.
    """
    root = int.from_bytes(data[:4], "little")
    if data[4:8] != b"TFL3" or root + 4 > len(data):
        raise ConversionError(
            f"TFLiteConverter gave {len(data)} bytes that are not a TensorFlow Lite flatbuffer", fix=_SEE_LOG
        )


def _by_rule(error: Exception, signature: Signature) -> RecipekitError | None:
    text = str(error)
    for rule in _RULES:
        found = re.search(rule.pattern, text, re.DOTALL)
        if found:
            fix = rule.fix.replace("{input_shapes}", input_shapes(signature))
            return rule.error(rule.what.format(*found.groups()), fix=fix)
    return None


def _other(error: Exception) -> ConversionError:
    kind = "" if type(error).__name__ == "ConverterError" else f"{type(error).__name__}: "
    return ConversionError(f"TFLiteConverter failed: {kind}{_last_meaningful_line(str(error))}", fix=_SEE_LOG)


def _last_meaningful_line(text: str) -> str:
    """The last error of MLIR's diagnostics without its location, or the last line where there are none."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    faults = [line for line in lines if "error: " in line]
    line = (faults or lines or ["it gave no reason"])[-1]
    return re.sub(r"^.*?error: (loc\(.*?\)+: )?", "", line)
