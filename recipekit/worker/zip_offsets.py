"""The offsets of a zip archive at the end of a file, as label files stand behind a `.tflite` with metadata.

They count from the beginning of the whole file, and change when something is put in front of it.
Format: PKWARE's APPNOTE.TXT, 4.3.12 and 4.3.16.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from mmap import mmap

_END = b"PK\x05\x06"
_ENTRY = b"PK\x01\x02"
_END_SIZE, _ENTRY_SIZE = 22, 46
_LONGEST_COMMENT = 2**16 - 1


def zip_offsets(data: bytes | mmap) -> Iterator[tuple[int, str, int]]:
    """Every offset of an archive that ends a file: where it stands, its `struct` format, its value.

    Nothing where no archive ends the file, or where its offsets count from its own beginning.

    Args:
        data: the whole file.
    """
    tail = max(0, len(data) - _END_SIZE - _LONGEST_COMMENT)
    end = tail + data[tail:].rfind(_END)
    if end < tail or len(data) - end < _END_SIZE:
        return
    size, directory, comment = struct.unpack_from("<IIH", data, end + 12)
    if directory + size != end or end + _END_SIZE + comment != len(data):
        return
    yield end + 16, "<I", directory
    entry = directory
    while data[entry : entry + 4] == _ENTRY and entry + _ENTRY_SIZE <= end:
        lengths = struct.unpack_from("<HHH", data, entry + 28)
        yield entry + 42, "<I", struct.unpack_from("<I", data, entry + 42)[0]
        entry += _ENTRY_SIZE + sum(lengths)
