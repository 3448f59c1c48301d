"""The checksum of TFRecord files: CRC-32C (Castagnoli), which Python's library lacks, masked as TensorFlow does.

Source: RFC 3720, appendix B.4, for the polynomial and the test vectors; tensorflow/core/lib/hash/crc32c.h for the mask.
"""

from __future__ import annotations

from functools import cache
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

_POLYNOMIAL = np.uint32(0x82F63B78)
_ONES = 0xFFFFFFFF
_MASK_DELTA = 0xA282EAD8
_LANE = 32
_SHORT = 2 * _LANE

Words: TypeAlias = npt.NDArray[np.uint32]


def masked_crc32c(data: bytes) -> int:
    """The checksum of some bytes as a TFRecord file holds it."""
    crc = crc32c(data)
    return ((crc >> 15 | crc << 17) + _MASK_DELTA) & _ONES


def crc32c(data: bytes) -> int:
    """CRC-32C of some bytes.

    The register is linear, so lanes of a few bytes are summed up side by side, then joined pair by pair: the left one
    moves on by the length of the right one. For an image that is dozens of times as fast as byte after byte in Python.
    """
    if len(data) < _SHORT:
        return _byte_by_byte(data)
    lanes = np.zeros(-(-len(data) // _LANE) * _LANE, np.uint8)
    lanes[len(lanes) - len(data) :] = np.frombuffer(data, np.uint8)  # zeros in front change nothing
    registers = np.zeros(len(lanes) // _LANE, np.uint32)
    for column in np.ascontiguousarray(lanes.reshape(-1, _LANE).T):
        registers = _table()[(registers ^ column) & 0xFF] ^ registers >> 8
    length = _LANE
    while len(registers) > 1:
        if len(registers) % 2:
            registers = np.concatenate([np.zeros(1, np.uint32), registers])
        registers = _moved(registers[0::2], length) ^ registers[1::2]
        length *= 2
    start = np.array([_ONES], np.uint32)
    for bit in range(len(data).bit_length()):
        if len(data) >> bit & 1:
            start = _moved(start, 1 << bit)
    return int(registers[0] ^ start[0]) ^ _ONES


def _byte_by_byte(data: bytes) -> int:
    table, crc = _plain_table(), _ONES
    for byte in data:
        crc = table[(crc ^ byte) & 0xFF] ^ crc >> 8
    return crc ^ _ONES


@cache
def _table() -> Words:
    """The register after each single byte, shape (256,)."""
    register = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        register = np.where(register & 1, register >> 1 ^ _POLYNOMIAL, register >> 1)
    return register


@cache
def _plain_table() -> list[int]:
    return [int(value) for value in _table()]


def _moved(registers: Words, length: int) -> Words:
    """Registers after `length` zero bytes, a power of two."""
    table = _moves(length)
    moved: Words = (
        table[0][registers & 0xFF]
        ^ table[1][registers >> 8 & 0xFF]
        ^ table[2][registers >> 16 & 0xFF]
        ^ table[3][registers >> 24]
    )
    return moved


@cache
def _moves(length: int) -> Words:
    """What each value of each of the register's four bytes becomes after `length` zero bytes, shape (4, 256)."""
    if length > 1:
        half = _moves(length // 2)
        return _moved(half.reshape(-1), length // 2).reshape(4, 256)
    values = np.arange(256, dtype=np.uint32) << np.array([[0], [8], [16], [24]], np.uint32)
    moved: Words = values >> 8 ^ _table()[values & 0xFF]
    return moved
