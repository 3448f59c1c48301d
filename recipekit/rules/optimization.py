"""Rules of a recipe's `optimize` section and of what it makes of the sections around it; see `rules`."""

from __future__ import annotations

from collections.abc import Iterator

from recipekit.faults import Fault
from recipekit.rules.section import Section, pattern_fault, trains_ranges

_KERAS_KINDS = {"keras", "keras_application", "python"}
"""Sources that can give a Keras model."""


def optimization_faults(recipe: Section) -> Iterator[Fault]:
    """Layers are changed in Keras, and a model that was trained for 8 bits is converted to 8 bits."""
    optimize, kind = recipe["optimize"], recipe["source"]["kind"]
    if optimize and kind not in _KERAS_KINDS:
        yield Fault(
            ("optimize",),
            f"'optimize' changes the layers of a Keras model, which source.kind {kind} has not: take the Keras file"
            " that it was made of (source.kind: keras), or leave 'optimize' out",
        )
    for step, declared in optimize.items():
        yield from pattern_fault(("optimize", step, "layers"), declared.get("layers", ""))
    prune = optimize.get("prune", {})
    if prune.get("schedule") == "polynomial" and "finetune" not in prune:
        yield Fault(
            ("optimize", "prune", "schedule"),
            "'optimize.prune.schedule' polynomial has no training to grow in: add 'finetune', or use constant",
        )
    if trains_ranges(recipe):
        yield from _trained_ranges(recipe["converter"])


def _trained_ranges(converter: Section) -> Iterator[Fault]:
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
