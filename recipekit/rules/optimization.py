"""Rules of a recipe's `optimize` section and of what it makes of the sections around it; see `rules`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from recipekit.faults import Fault

Recipe = dict[str, Any]

_KERAS_KINDS = {"keras", "keras_application", "python"}
"""Sources that can give a Keras model."""


def trains_ranges(recipe: Recipe) -> bool:
    """Whether the model is trained for quantization, so that its ranges need no calibration."""
    return "quantization_aware_training" in recipe["optimize"]


def optimization_faults(recipe: Recipe) -> Iterator[Fault]:
    """Layers are changed in Keras, and a model that was trained for 8 bits is converted to 8 bits."""
    optimize, kind = recipe["optimize"], recipe["source"]["kind"]
    if optimize and kind not in _KERAS_KINDS:
        yield Fault(
            ("optimize",),
            f"'optimize' changes the layers of a Keras model, which source.kind {kind} has not: take the Keras file"
            " that it was made of (source.kind: keras), or leave 'optimize' out",
        )
    for step, declared in optimize.items():
        error = _regular_expression_error(declared.get("layers", ""))
        if error:
            yield Fault(("optimize", step, "layers"), f"'optimize.{step}.layers' is no regular expression: {error}")
    prune = optimize.get("prune", {})
    if prune.get("schedule") == "polynomial" and "finetune" not in prune:
        yield Fault(
            ("optimize", "prune", "schedule"),
            "'optimize.prune.schedule' polynomial has no training to grow in: add 'finetune', or use constant",
        )
    if trains_ranges(recipe):
        yield from _trained_ranges(recipe["converter"])


def _regular_expression_error(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as error:
        return str(error)
    return ""


def _trained_ranges(converter: Recipe) -> Iterator[Fault]:
    needed = {
        "engine": (converter["engine"] == "tflite_converter", "engine tflite_converter"),
        "quantization": (converter["quantization"] == "int8", "quantization int8"),
        "rules": (not converter["rules"], "a scheme without rules"),
        "granularity": (converter.get("granularity", "per_channel") == "per_channel", "granularity per_channel"),
    }
    for key, (met, wanted) in needed.items():
        if not met:
            yield Fault(
                ("converter", key),
                f"'converter.{key}' doesn't go with 'optimize.quantization_aware_training', which trains the ranges of"
                f" 8-bit kernels: it needs {wanted}",
            )
