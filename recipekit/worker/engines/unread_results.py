"""Operators with a result that nobody reads, which TensorFlow's quantizer treats as its hash tables fall.

TensorFlow 2.21 leaves such an operator float in some calls and not in others, over the same bytes; a SPLIT in the first
step of an unrolled LSTM is one. Asked again, it gives the one result in which none is left float. This module must not
import TensorFlow.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from recipekit.worker.census import OperatorSite, operators_of

_CALLS = 24
"""Some three of eight calls leave one float, so as many in a row are out of the question."""


def settled(quantize: Callable[[], bytes], operators: Sequence[OperatorSite]) -> bytes:
    """The flatbuffer that leaves no operator float for an unread result, or the best of several.

    Args:
        quantize: one call of the quantizer, by the same request each time.
        operators: of the float32 conversion.
    """
    unsteady = {site.op for site in operators if site.unread}
    best, fewest = quantize(), 0
    if unsteady:
        fewest = _left_float(best, unsteady)
    for _ in range(_CALLS):
        if not fewest:
            break
        again = quantize()
        left = _left_float(again, unsteady)
        if left < fewest:
            best, fewest = again, left
    return best


def _left_float(flatbuffer: bytes, kinds: set[str]) -> int:
    return sum(site.is_float for site in operators_of(flatbuffer) if site.op in kinds)
