"""The operators that a `.tflite` needs of TensorFlow Lite Micro, as a header that registers them and no others.

The names are those of the `Add...` methods of `tflite::MicroMutableOpResolver`
(https://github.com/tensorflow/tflite-micro, `tensorflow/lite/micro/micro_mutable_op_resolver.h`, as of 2025): the
operator's name in the schema in camel case, with a few exceptions.
"""

from __future__ import annotations

from collections.abc import Iterable

from recipekit.contracts import BUILD_KEY_ENTRY, Operator

_NAMED_BY_RULE = """
ABS ADD ADD_N ARG_MAX ARG_MIN ASSIGN_VARIABLE AVERAGE_POOL_2D BATCH_TO_SPACE_ND BROADCAST_ARGS
BROADCAST_TO CALL_ONCE CAST CEIL CONCATENATION CONV_2D COS DEPTH_TO_SPACE DEPTHWISE_CONV_2D DEQUANTIZE DIV
ELU EMBEDDING_LOOKUP EQUAL EXP EXPAND_DIMS FILL FLOOR FLOOR_DIV FLOOR_MOD FULLY_CONNECTED GATHER GATHER_ND GREATER
GREATER_EQUAL HARD_SWISH IF L2_NORMALIZATION L2_POOL_2D LEAKY_RELU LESS LESS_EQUAL LOG LOG_SOFTMAX LOGICAL_AND
LOGICAL_NOT LOGICAL_OR LOGISTIC MAX_POOL_2D MAXIMUM MEAN MINIMUM MIRROR_PAD MUL NEG NOT_EQUAL PACK PAD PRELU
QUANTIZE READ_VARIABLE REDUCE_MAX REDUCE_MIN RELU RELU6 RESHAPE RESIZE_BILINEAR RESIZE_NEAREST_NEIGHBOR REVERSE_V2
ROUND RSQRT SELECT_V2 SHAPE SIN SLICE SOFTMAX SPACE_TO_BATCH_ND SPACE_TO_DEPTH SPLIT SPLIT_V SQRT SQUARE
SQUARED_DIFFERENCE SQUEEZE STRIDED_SLICE SUB SUM SVDF TANH TRANSPOSE TRANSPOSE_CONV
UNPACK VAR_HANDLE WHILE ZEROS_LIKE
"""

_EXCEPTIONS = {
    "BATCH_MATMUL": "BatchMatMul",
    "CUMSUM": "CumSum",
    "PADV2": "PadV2",
    "UNIDIRECTIONAL_SEQUENCE_LSTM": "UnidirectionalSequenceLSTM",
}

_SIGNAL = """
Delay Energy FftAutoScale FilterBank FilterBankLog FilterBankSpectralSubtraction FilterBankSquareRoot Framer Irfft
OverlapAdd PCAN Rfft Stacker Window
"""

_CUSTOMS = {
    "CIRCULAR_BUFFER": "CircularBuffer",
    "TFLite_Detection_PostProcess": "DetectionPostprocess",
    "ethos-u": "EthosU",
    **{f"Signal{name}": name for name in _SIGNAL.split()},
}


def _camel_case(name: str) -> str:
    return "".join(word if word[0].isdigit() else word.capitalize() for word in name.split("_"))


_BUILTINS = {**{name: _camel_case(name) for name in _NAMED_BY_RULE.split()}, **_EXCEPTIONS}


def method(operator: Operator) -> str:
    """The method that adds an operator to a resolver; empty where TensorFlow Lite Micro has none."""
    name = (_BUILTINS if operator.kind == "builtin" else _CUSTOMS).get(operator.name, "")
    return f"Add{name}" if name else ""


def lacking(operators: Iterable[Operator]) -> tuple[str, ...]:
    """Names of the operators that TensorFlow Lite Micro has no method for, each once, sorted."""
    return tuple(sorted({operator.name for operator in operators if not method(operator)}))


def resolver_header(namespace: str, comment: str, key: str, operators: Iterable[Operator]) -> str:
    """A C++ header with the resolver's type and a function that registers every operator.

    Args:
        namespace: of both.
        comment: what they are for, in a few words.
        key: the build that the model comes from.
        operators: of the model.
    """
    needed = list(operators)
    methods = sorted({method(operator) for operator in needed} - {""})
    missing = lacking(needed)
    guard = f"{namespace.upper()}_H_"
    calls = "".join(f"  TF_LITE_ENSURE_STATUS(resolver.{name}());\n" for name in methods)
    notes = "".join(
        f"  // '{name}' has no method: register a kernel of your own with resolver.AddCustom().\n" for name in missing
    )
    return f"""\
/* {comment}
 * {BUILD_KEY_ENTRY}: {key}
 * Written by recipekit; it is replaced by the next build. */
#ifndef {guard}
#define {guard}

#include "tensorflow/lite/micro/micro_mutable_op_resolver.h"

namespace {namespace} {{

using OpResolver = tflite::MicroMutableOpResolver<{max(1, len(methods) + len(missing))}>;

inline TfLiteStatus RegisterOps(OpResolver& resolver) {{
{calls}{notes}  return kTfLiteOk;
}}

}}  // namespace {namespace}

#endif  // {guard}
"""
