"""Damaged copies of a file, the same for the same seed: cut short, bytes altered, blocks blanked, moved or random."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

Damage = Callable[[bytearray, random.Random], bytearray]


def _cut(data: bytearray, draw: random.Random) -> bytearray:
    return data[: draw.randrange(len(data))]


def _alter(data: bytearray, draw: random.Random) -> bytearray:
    for _ in range(draw.choice((1, 2, 8, 64))):
        data[draw.randrange(len(data))] = draw.randrange(256)
    return data


def _alter_front(data: bytearray, draw: random.Random) -> bytearray:
    """Headers stand in front."""
    data[draw.randrange(min(len(data), 256))] ^= 1 << draw.randrange(8)
    return data


def _largest(data: bytearray, draw: random.Random) -> bytearray:
    """Sizes and offsets that are as large, or as negative, as they can be."""
    at = draw.randrange(len(data) // 4) * 4
    data[at : at + 4] = draw.choice((b"\xff\xff\xff\x7f", b"\xff\xff\xff\xff", b"\x00\x00\x00\x80"))
    return data


def _blank(data: bytearray, draw: random.Random) -> bytearray:
    at, length = draw.randrange(len(data)), draw.randrange(1, max(2, len(data) // 4))
    data[at : at + length] = bytes(len(data[at : at + length]))
    return data


def _move(data: bytearray, draw: random.Random) -> bytearray:
    at, length = draw.randrange(len(data)), draw.randrange(1, max(2, len(data) // 4))
    block = data[at : at + length]
    del data[at : at + length]
    to = draw.randrange(len(data) + 1)
    data[to:to] = block
    return data


def _random(data: bytearray, draw: random.Random) -> bytearray:
    return bytearray(draw.randbytes(len(data)))


_DAMAGES: tuple[Damage, ...] = (_cut, _alter, _alter, _alter_front, _largest, _largest, _blank, _move, _random)


def mutations(data: bytes, count: int, seed: int) -> Iterator[bytes]:
    """So many damaged copies.

    Args:
        data: the sound file.
        count: how many.
        seed: decides all of them.
    """
    for number in range(count):
        draw = random.Random(f"{seed} {number}")
        yield bytes(_DAMAGES[number % len(_DAMAGES)](bytearray(data), draw))
