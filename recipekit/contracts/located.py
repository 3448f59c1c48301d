"""Which part of a flatbuffer a byte belongs to."""

from __future__ import annotations

from recipekit.contracts.record import Record


class LocateRequest(Record, frozen=True, kw_only=True):
    """Ask what a byte of a `.tflite` file is part of.

    Attributes:
        flatbuffer: path of the file.
        offset: of the byte, from 0.
    """

    flatbuffer: str
    offset: int


class Located(Record, frozen=True, kw_only=True):
    """What a byte is part of, in words: `values of the tensor 'conv/kernel'`."""

    part: str
