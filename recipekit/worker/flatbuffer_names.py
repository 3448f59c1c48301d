"""Names for the numbers of TensorFlow Lite's schema: of operators, of their kinds, of element types.

It looks at one entry of a flatbuffer at a time, and knows nothing of the file around it.
"""

from __future__ import annotations

from typing import Any

from ai_edge_litert import schema_py_generated as schema

FLEX = "Flex"
"""Begins the custom code of an operator of TensorFlow, which the Flex delegate runs."""

_IDENTIFIER = b"TFL3"
_SMALLEST = 32
_OPERATORS: dict[int, str] = {
    code: name for name, code in vars(schema.BuiltinOperator).items() if not name.startswith("_")
}
_DTYPES: dict[int, str] = {
    code: name.lower() for name, code in vars(schema.TensorType).items() if not name.startswith("_")
}
_DTYPES[schema.TensorType.STRING] = "str"


def begins_as_one(data: bytes) -> bool:
    """Whether bytes begin as those of a `.tflite` do; what comes behind may be anything."""
    return len(data) >= _SMALLEST and data[4:8] == _IDENTIFIER


def operator_of(code: Any) -> tuple[str, str]:
    """Name and kind (`builtin`, `custom` or `flex`) of an entry of the table of operator codes.

    Converters write codes up to 127 into the older, 8-bit field as well; larger ones only into the newer.
    """
    builtin = max(code.BuiltinCode(), code.DeprecatedBuiltinCode())
    if builtin != schema.BuiltinOperator.CUSTOM:
        return _OPERATORS.get(builtin, f"BUILTIN_{builtin}"), "builtin"
    name = decoded(code.CustomCode())
    return name, "flex" if name.startswith(FLEX) else "custom"


def dtype_of(tensor: Any) -> str:
    """The element type of a tensor: TensorFlow Lite's name in lower case, `str` for strings."""
    code: int = tensor.Type()
    return _DTYPES.get(code, f"type_{code}")


def decoded(value: bytes | None) -> str:
    """A name in the file; empty where there is none."""
    return value.decode() if value is not None else ""
