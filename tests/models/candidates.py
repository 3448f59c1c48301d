"""Candidates seen without the place for a build key that stands in front of them."""

from __future__ import annotations

from recipekit.contracts import BUILD_KEY_ENTRY


def converted_part(candidate: bytes) -> bytes:
    """The conversion itself, which stands whole behind the place; a file without a place is one."""
    second = candidate.find(b"TFL3", 8)
    if second < 0 or BUILD_KEY_ENTRY.encode() not in candidate[:second]:
        return candidate
    return candidate[second - 4 :]
