"""`converter.flags` of a recipe against a real converter.

TFLiteConverter takes any attribute without a word, so a mistyped flag would do nothing. The table of flags is read from
the converter object that is about to run; this module must not import TensorFlow.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from recipekit.errors import ConversionError
from recipekit.nearest import did_you_mean

OWN_KEYS = {
    "allow_custom_ops": "converter.allow_custom_ops",
    "inference_input_type": "converter.input_type",
    "inference_output_type": "converter.output_type",
    "optimizations": "converter.quantization",
    "representative_dataset": "representative_dataset",
    "saved_model_dir": "source",
    "target_spec": "converter.supported_ops",
}
"""Attributes for which the recipe language has a key of its own."""

UNSET_TYPES: dict[str, type] = {
    "elide_elementsattrs_if_larger": int,
    "enable_timing": bool,
    "ir_dump_dir": str,
    "ir_dump_func_regex": str,
    "ir_dump_pass_regex": str,
    "print_ir_after": str,
    "print_ir_before": str,
    "print_ir_module_scope": bool,
}
"""Types of attributes whose default is None: those of TensorFlow's `DebugOptions` message."""


def check_flags(converter: object, flags: Mapping[str, Any]) -> None:
    """Checks names and types of flags before they are set.

    Args:
        converter: a fresh `tf.lite.TFLiteConverter`.
        flags: values by attribute name.

    Raises:
        ConversionError: the converter has no such public attribute, the language has its own key for it, or the value
            is of another type.
    """
    known = settable(converter)
    for name, value in flags.items():
        _check(name, value, known)


def settable(converter: object) -> dict[str, type]:
    """Every flag that a recipe may set on a converter, with its type.

    Attributes that hold messages or objects are left out: a recipe can't write them down.
    """
    types = {name: UNSET_TYPES.get(name, type(value)) for name, value in vars(converter).items()}
    return {
        name: kind
        for name, kind in sorted(types.items())
        if not name.startswith("_") and name not in OWN_KEYS and kind in (bool, int, float, str)
    }


def _check(name: str, value: object, known: Mapping[str, type]) -> None:
    where = f"converter.flags.{name}"
    if name in OWN_KEYS:
        raise ConversionError(
            f"the recipe language has its own key for '{name}'", where=where, fix=f"use `{OWN_KEYS[name]}`"
        )
    if name not in known:
        raise ConversionError(
            f"TFLiteConverter has no flag '{name}'{did_you_mean(name, known)}",
            where=where,
            fix=f"use one of {', '.join(known)}",
        )
    expected = known[name]
    if type(value) is not expected:  # a bool is no int here
        raise ConversionError(
            f"the flag '{name}' expects {expected.__name__}, got {type(value).__name__} {value!r}",
            where=where,
            fix=f"give it a value of type {expected.__name__}",
        )
