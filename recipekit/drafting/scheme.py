"""Quantization schemes to begin with: the packaged option, and bounds that an honest conversion passes.

The bounds are where to begin, not where to end: below what trained image, sound and table models reach with each
scheme (docs/engines.md), and far above what a wrong preprocessing or a broken conversion gives.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from recipekit.contracts import Description
from recipekit.errors import UsageError

_WORTH_SHRINKING = 200_000
"""Bytes of weights below which a file's structure outweighs what quantization saves."""


class Scheme(NamedTuple):
    """A scheme.

    Attributes:
        name: the packaged option of the group `converter`.
        why: what it is for, half a sentence.
        io: dtype of a float model's inputs and outputs.
        calibrates: whether it needs representative samples.
        sqnr_db: least signal-to-error ratio against the float model.
        agreement: least share of samples with the same best class.
        ratio: largest size as a part of the float32 conversion.
    """

    name: str
    why: str
    io: str
    calibrates: bool
    sqnr_db: int
    agreement: float
    ratio: float


SCHEMES = {
    scheme.name: scheme
    for scheme in (
        Scheme("int8", "integer only, for microcontrollers and NPUs", "int8", True, 15, 0.9, 0.4),
        Scheme("int8_float_fallback", "int8 where there are kernels, float elsewhere", "float32", True, 15, 0.9, 0.5),
        Scheme("int16x8", "int16 activations, where int8 loses too much", "int16", True, 30, 0.95, 0.5),
        Scheme("dynamic_range", "int8 weights and float inputs, for phones", "float32", False, 20, 0.95, 0.4),
        Scheme("float16", "float16 weights, for GPUs", "float32", False, 40, 0.99, 0.6),
        Scheme("none", "as it is, the yardstick of the others", "float32", False, 60, 0.99, 1.0),
    )
}

TARGETS = {"microcontroller": "int8", "npu": "int8", "phone": "dynamic_range", "gpu": "float16"}
"""Schemes by what the model is to run on."""


def converter_of(scheme: Scheme, model: Description) -> str:
    """The packaged option of the group `converter` that carries a scheme out on a kind of source.

    Raises:
        UsageError: nothing is left to do.
    """
    if model.kind != "tflite":
        return scheme.name
    if scheme.name == "none":
        raise UsageError(
            "a float .tflite is converted already",
            where="--quantization none",
            fix="choose a scheme that quantizes, such as int8",
        )
    return f"ai_edge_{scheme.name}"


def acceptance_of(scheme: Scheme, model: Description, *, real_samples: bool) -> dict[str, Any]:
    """Bounds to begin with.

    Args:
        scheme: what is converted to.
        model: the source.
        real_samples: whether the samples are real; the best class of a random sample says nothing.
    """
    parity: dict[str, Any] = {"sqnr_db": {"min": scheme.sqnr_db}}
    if model.task == "classification" and real_samples:
        parity["argmax_agreement"] = {"min": scheme.agreement}
    bounds: dict[str, Any] = {"parity": parity}
    if model.bytes > _WORTH_SHRINKING and scheme.ratio < 1:
        bounds["size"] = {"ratio": {"max": scheme.ratio}}
    floats = all(tensor.dtype in {"float32", ""} for tensor in model.signature.inputs)
    types = {"input_type": scheme.io, "output_type": scheme.io} if floats else {}
    only_integers = {"float_ops": {"max": 0}} if scheme.io != "float32" else {}
    bounds["model"] = {**types, "select_tf_ops": False, "custom_ops": False, **only_integers}
    return bounds
