"""How a published `.tflite` names the build that it comes from."""

from __future__ import annotations

from recipekit.contracts.record import Record

BUILD_KEY_ENTRY = "recipekit.build_key"
"""Name of the metadata entry of a published `.tflite` that holds its build key, as 64 lower-case hex digits."""

BUILD_KEY_PLACEHOLDER = b"0" * 64
"""What stands in a candidate until it is published."""


class MarkRequest(Record, frozen=True, kw_only=True):
    """Ask for a candidate that no quantization made with a place for its build key.

    Attributes:
        flatbuffer: path of the float conversion, or of the source where that is one.
    """

    flatbuffer: str
