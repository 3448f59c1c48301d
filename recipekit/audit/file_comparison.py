"""Two files byte for byte: whether they are equal, and where they first differ."""

from __future__ import annotations

import re
from pathlib import Path

from recipekit import digests
from recipekit.contracts import BUILD_KEY_ENTRY, Record

_CHUNK = 1 << 20
_STEP = 1 << 12


class FileComparison(Record, frozen=True, kw_only=True):
    """A file of the recorded output and its counterpart.

    Attributes:
        name: relative to the output.
        same: whether they are equal, the build key that they may carry left aside.
        recorded_sha256: of the recorded one.
        now_sha256: of the new one; empty where there is none.
        recorded_size: bytes of the recorded one.
        now_size: bytes of the new one.
        offset: of the first byte that differs, from 0; None where they are equal.
        part: what that byte is part of in the recorded file, in words; empty where that isn't known.
        apart_from_key: whether they are equal but for the build keys that they carry.
    """

    name: str
    same: bool
    recorded_sha256: str
    now_sha256: str
    recorded_size: int
    now_size: int
    offset: int | None = None
    part: str = ""
    apart_from_key: bool = False


def compare_files(name: str, recorded: Path, now: Path, keys: tuple[str, str]) -> FileComparison:
    """Compares two files.

    Args:
        name: what they are called.
        recorded: the old one.
        now: the new one.
        keys: the build keys of the old and the new build, which aren't compared where a file carries them.

    Raises:
        OSError: one can't be read.
    """
    before, after = digests.of_file(recorded), digests.of_file(now)
    sizes = recorded.stat().st_size, now.stat().st_size
    offset = None if before == after else first_difference(recorded, now)
    apart = False
    if offset is not None and keys[0] != keys[1]:
        one, other = (_without_key(path.read_bytes(), key) for path, key in zip((recorded, now), keys, strict=True))
        apart = one == other
        offset = None if apart else _first(one, other)
    return FileComparison(
        name=name,
        same=offset is None,
        recorded_sha256=before,
        now_sha256=after,
        recorded_size=sizes[0],
        now_size=sizes[1],
        offset=offset,
        apart_from_key=apart,
    )


def first_difference(recorded: Path, now: Path) -> int | None:
    """Offset of the first byte that two files don't share, the shorter one's end where it is the other's beginning.

    Returns:
        None where they are equal.
    """
    at = 0
    with recorded.open("rb") as one, now.open("rb") as other:
        while True:
            before, after = one.read(_CHUNK), other.read(_CHUNK)
            if before != after:
                return at + _first(before, after)
            if not before:
                return None
            at += len(before)


def _first(before: bytes, after: bytes) -> int:
    """The same of bytes that differ: a step at a time, then byte by byte."""
    shared = min(len(before), len(after))
    step = next((at for at in range(0, shared, _STEP) if before[at : at + _STEP] != after[at : at + _STEP]), shared)
    return next((at for at in range(step, shared) if before[at] != after[at]), shared)


def _without_key(data: bytes, key: str) -> bytes:
    """The same bytes with zeros in place of a build key, also where a C array spells it over the ends of its lines."""
    if BUILD_KEY_ENTRY.encode() not in data:
        return data
    spelled = b",\n?".join(b"0x%02x" % byte for byte in key.encode())
    plain = data.replace(key.encode(), b"0" * len(key))
    return re.sub(spelled, lambda found: re.sub(b"0x..", b"0x30", found[0]), plain)
