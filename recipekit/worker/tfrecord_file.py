"""One TFRecord file, any record by its number: the framing alone, whatever the records hold.

TensorFlow's own reader would bring TensorFlow into processes that else do without: 3 s and some 600 MiB in each. The
format is four fields a record, so it is read here (source: TensorFlow's guide "TFRecord and tf.train.Example"): the
length (uint64, little-endian), its masked CRC-32C (uint32), the bytes, their masked CRC-32C.
"""

from __future__ import annotations

import io
import mmap
import struct
import tempfile
import zlib
from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from recipekit.errors import DatasetError
from recipekit.worker.crc32c import masked_crc32c
from recipekit.worker.mapped_file import MappedFile

COMPRESSIONS = {"GZIP": zlib.MAX_WBITS | 16, "ZLIB": zlib.MAX_WBITS}
"""TensorFlow's names of compressions, and what zlib calls their containers."""

_HEADER = struct.Struct("<QI")
_CHECKSUM = struct.Struct("<I")
_BLOCK = 1 << 20


class TFRecordFile:
    """The records of one file; only the place of each is held in memory.

    A compressed file is unpacked into an unnamed temporary one first, since it can't be entered in the middle.
    """

    def __init__(self, path: Path, compression: str | None = None) -> None:
        """Finds the records.

        Args:
            path: the file.
            compression: of the whole file, `GZIP` or `ZLIB`; None for none.

        Raises:
            DatasetError: the file is unreadable, cut off, compressed in another way, or no TFRecord file.
        """
        self._path = path
        self._unpacked = None
        self._offsets = array("Q")
        if compression is not None:
            self._unpacked = _unpack(path, COMPRESSIONS[compression])
            if self._unpacked is None:
                return
        with self._open() as stream:
            stream.seek(0, io.SEEK_END)
            self._offsets = self._index(stream, stream.tell())

    def __len__(self) -> int:
        return len(self._offsets)

    def __getitem__(self, number: int) -> bytes:
        """The bytes of a record, counted from 0.

        Raises:
            DatasetError: they differ from their checksum, or can't be read.
        """
        with self._open() as stream:
            stream.seek(self._offsets[number])
            (length, _) = _HEADER.unpack(stream.read(_HEADER.size))
            data = stream.read(length)
            checksum = stream.read(_CHECKSUM.size)
        if self._unpacked is not None:
            self._unpacked.note_read(length)
        if len(checksum) < _CHECKSUM.size or _CHECKSUM.unpack(checksum)[0] != masked_crc32c(data):
            raise self.fault(number, "is damaged: its bytes differ from their checksum")
        return data

    def fault(self, number: int, what: str, fix: str = "write the file anew, or leave it out") -> DatasetError:
        """An error about a record."""
        return DatasetError(what, where=f"{self._path} record {number}", fix=fix)

    @contextmanager
    def _open(self) -> Iterator[IO[bytes] | mmap.mmap]:
        if self._unpacked is not None:
            yield self._unpacked.data
            return
        try:
            with self._path.open("rb") as stream:
                yield stream
        except OSError as error:
            raise DatasetError(
                f"can't be read: {error}", where=str(self._path), fix="give `path` TFRecord files"
            ) from error

    def _index(self, stream: IO[bytes] | mmap.mmap, end: int) -> array[int]:
        """Where each record begins."""
        offsets = array("Q")
        position = 0
        while position < end:
            stream.seek(position)
            header = stream.read(_HEADER.size)
            length, checksum = _HEADER.unpack(header) if len(header) == _HEADER.size else (0, None)
            if checksum is not None and checksum != masked_crc32c(header[:8]):
                what = "is damaged: its length differs from its checksum"
                cure = "write the file anew, leave it out, or set `compression` if the file is compressed"
                raise self.fault(len(offsets), what, cure)
            if checksum is None or position + _HEADER.size + length + _CHECKSUM.size > end:
                raise self.fault(len(offsets), "is cut off: the file ends inside it")
            offsets.append(position)
            position += _HEADER.size + length + _CHECKSUM.size
        return offsets


def _unpack(path: Path, window: int) -> MappedFile | None:
    """The file unpacked; None where it holds nothing."""
    decompressor = zlib.decompressobj(window)
    fault = "it is cut off"
    try:
        with path.open("rb") as stream, tempfile.TemporaryFile() as unpacked:
            while block := stream.read(_BLOCK):
                unpacked.write(decompressor.decompress(block))
            unpacked.write(decompressor.flush())
            unpacked.flush()
            if decompressor.eof:
                return MappedFile(unpacked) if unpacked.tell() else None
    except (OSError, zlib.error) as error:
        fault = str(error)
    raise DatasetError(
        f"can't be unpacked: {fault}", where=str(path), fix="correct `compression`, or write the file anew"
    )
