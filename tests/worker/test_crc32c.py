"""CRC-32C: the vectors of RFC 3720, and both ways of computing it give the same."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recipekit.worker.crc32c import _byte_by_byte, crc32c


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (bytes(32), 0x8A9136AA),
        (b"\xff" * 32, 0x62A8AB43),
        (bytes(range(32)), 0x46DD794E),
        (bytes(range(31, -1, -1)), 0x113FDB5C),
        (b"123456789", 0xE3069283),
    ],
)
def test_the_vectors_of_the_standard(data: bytes, expected: int) -> None:
    assert crc32c(data) == expected


@given(data=st.binary(max_size=700), copies=st.integers(1, 4))
def test_lanes_joined_give_what_byte_after_byte_gives(data: bytes, copies: int) -> None:
    assert crc32c(data * copies) == _byte_by_byte(data * copies)
