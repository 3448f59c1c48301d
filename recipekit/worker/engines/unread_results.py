"""Makes TensorFlow's quantizer give the same bytes each time for operators with a result that nobody reads.

For the same input, TensorFlow 2.21 quantizes such an operator in some calls and leaves it float in others, depending on
the order of its hash tables; a SPLIT in the first step of an unrolled LSTM is one. So the quantizer is asked again
until no such operator is left float, which is always the same result. This module must not import TensorFlow.
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
