"""Operators that TensorFlow Lite lacks: which, in which layers, and what a recipe can say about each.

It reads the errors that TFLiteConverter collects, of TensorFlow 2.21, and must not import TensorFlow.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from recipekit.errors import UnsupportedOp

_SHOWN_PLACES = 3


class _Missing(NamedTuple):
    """An operator without a kernel: its TensorFlow name, where it stands, and what the converter said."""

    operator: str
    place: str
    code: str
    message: str


def unsupported(error: Exception, layers: Mapping[str, str]) -> UnsupportedOp | None:
    """The error that names the operators without a kernel; None where the failure is another one.

    Args:
        error: as it left `convert()`; a `ConverterError` carries the operators and their places in `errors`.
        layers: Keras layers by the scope of their operations.
    """
    missing = list(_missing(error))
    if not missing:
        return None
    places: dict[str, list[str]] = {}
    for entry in missing:
        places.setdefault(entry.operator, []).append(entry.place)
    operators = ", ".join(f"{operator}{_used_by(found, layers)}" for operator, found in sorted(places.items()))
    return UnsupportedOp(f"TensorFlow Lite lacks operators of the model: {operators}", fix=_choices(missing))


def _missing(error: Exception) -> Iterator[_Missing]:
    for data in getattr(error, "errors", ()):
        code = data.ErrorCode.Name(data.error_code)
        if code in ("ERROR_NEEDS_FLEX_OPS", "ERROR_NEEDS_CUSTOM_OPS"):
            yield _Missing(data.operator.name, _place(data), code, data.error_message)


def _place(data: Any) -> str:
    """Where an operator stands in the model: the innermost name of its location, without the function's own."""
    calls = data.location.call
    return str(calls[0].name).partition("@")[0] if calls else ""


def _used_by(places: list[str], layers: Mapping[str, str]) -> str:
    """The layers that use an operator; its places in the graph where no layer is known to have made it."""
    kinds = {
        "in": {layer for place in places if (layer := _layer_of(place, layers))},
        "at": {place for place in places if place and not _layer_of(place, layers)},
    }
    listed = [f"{word} {_listed(sorted(names))}" for word, names in kinds.items() if names]
    return f" ({'; '.join(listed)})" if listed else ""


def _layer_of(place: str, layers: Mapping[str, str]) -> str:
    """The innermost layer whose scope holds a place."""
    while place and place not in layers:
        place = place.rpartition("/")[0]
    return layers.get(place, "")


def _listed(names: list[str]) -> str:
    rest = f" and {len(names) - _SHOWN_PLACES} more" if len(names) > _SHOWN_PLACES else ""
    return f"{', '.join(names[:_SHOWN_PLACES])}{rest}"


def _choices(missing: list[_Missing]) -> str:
    if any("xf16>" in entry.message for entry in missing):
        return "build the model with the float32 policy: TensorFlow Lite lacks float16 kernels; or replace the layer"
    operators = sorted({_bare(entry.operator) for entry in missing})
    functions = ", ".join(f'{name}: "replacements.py:{name.lower()}"' for name in operators)
    choices = [
        "replace it by a function (or its layer by a class) of supported operators",
        f"  custom_layers: {{replace: {{{functions}}}}}",
    ]
    selectable = sorted({_bare(entry.operator) for entry in missing if entry.code == "ERROR_NEEDS_FLEX_OPS"})
    if selectable:
        choices += [
            f"keep TensorFlow's {', '.join(selectable)}, for devices with the Flex delegate",
            "  converter: {supported_ops: [TFLITE_BUILTINS, SELECT_TF_OPS]}",
        ]
    choices += [
        "keep it as a custom operator, for a kernel of your own",
        "  converter: {allow_custom_ops: true}",
        "cut the model before it",
    ]
    ways = "".join(f"\n    {'' if choice.startswith(' ') else '- '}{choice}" for choice in choices)
    return (
        f"one of these (see docs/operators.md):{ways}\n  What is kept can't run here (`evaluation: {{runtime: none}}`),"
        " and the calibrator of int8 and int16x8 can't run what is kept"
    )


def _bare(operator: str) -> str:
    """`Erf` of `tf.Erf`."""
    return operator.rpartition(".")[2]
