"""Zip archives of strangers: looked at as a whole before a member is read, and read no further than they say.

A loader unpacks what an archive holds, into memory or into a folder. So members must stay inside of it, bear one name
each, and unpack to no more than a sane multiple of what is stored; what a member really unpacks to is bounded while it
is read, whatever the directory says. It knows nothing of models.
"""

from __future__ import annotations

import io
import os
import shutil
import stat
import struct
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, Any

from recipekit.errors import SourceError

MAX_EXPANSION = 100
"""How many times what is stored a member or dataset may be; compression of weights gives 1.1, of zeros 1,000."""

FREE_BYTES = 32 * 2**20
"""Below this size a member or dataset may expand as it likes."""

_LOCAL_HEADER = 30  # bytes; APPNOTE.TXT 4.3.7
_LARGEST_TEXT = 256 * 2**20
_METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}  # the others unpack a block without any limit


def expands_too_far(size: int, stored: int) -> bool:
    """Whether a size that is claimed is out of proportion to the bytes that are stored for it."""
    return size > max(FREE_BYTES, MAX_EXPANSION * stored)


def check_members(path: Path, archive: zipfile.ZipFile, stored: int) -> None:
    """Refuses members that would land elsewhere, hide each other, or unpack to far more than they are.

    Args:
        path: what messages call the archive.
        archive: its directory is read, and nothing else.
        stored: bytes of the whole archive.

    Raises:
        SourceError: there is such a member; it is named.
    """
    fault = next(_faults(archive), None)
    total = sum(member.file_size for member in archive.infolist())
    if fault is None and expands_too_far(total, stored):
        fault = f"its members unpack {stored} bytes to {total}, more than {MAX_EXPANSION} times as many"
    if fault is not None:
        raise suspicious(path, fault)


def read_member(path: Path, archive: zipfile.ZipFile, name: str) -> bytes:
    """The content of a member that is held in memory.

    Args:
        path: what messages call the archive.
        archive: with members that were checked.
        name: of the member.

    Raises:
        SourceError: it is larger than any text of a model.
        KeyError: there is no such member.
        zipfile.BadZipFile: it is damaged, or unpacks to another size than the directory says.
    """
    with archive.open(name) as member:
        content = member.read(_LARGEST_TEXT + 1)
    if len(content) > _LARGEST_TEXT:
        raise suspicious(path, f"the member '{name}' is larger than {_LARGEST_TEXT // 2**20} MiB")
    return content


@contextmanager
def seekable(path: Path, archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Iterator[IO[bytes]]:
    """A member to move about in: where it stands if it is stored plainly, else unpacked into an unnamed file.

    Raises:
        zipfile.BadZipFile: it is damaged, or unpacks to another size than the directory says.
    """
    with archive.open(member) as stream:
        if member.compress_type == zipfile.ZIP_STORED:
            with path.open("rb") as whole:  # zipfile reads all that lies between two places, twice on the way back
                yield io.BufferedReader(_Window(whole, _beginning(whole, member), member.file_size))
        else:
            with tempfile.TemporaryFile() as unpacked:
                shutil.copyfileobj(stream, unpacked)
                unpacked.seek(0)
                yield unpacked


def _beginning(whole: IO[bytes], member: zipfile.ZipInfo) -> int:
    """Where the content of a member begins: behind its local header, which has lengths of its own."""
    whole.seek(member.header_offset)
    header = whole.read(_LOCAL_HEADER)
    name, extra = struct.unpack_from("<HH", header, _LOCAL_HEADER - 4)
    return int(member.header_offset + _LOCAL_HEADER + name + extra)


class _Window(io.RawIOBase):
    """A part of a file as a file of its own."""

    def __init__(self, whole: IO[bytes], begin: int, size: int) -> None:
        self._whole, self._begin, self._size, self._at = whole, begin, size, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        self._at = max(0, offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence])
        return self._at

    def readinto(self, buffer: Any) -> int:
        self._whole.seek(self._begin + self._at)
        content = self._whole.read(max(0, min(len(buffer), self._size - self._at)))
        buffer[: len(content)] = content
        self._at += len(content)
        return len(content)


def suspicious(path: Path, detail: str) -> SourceError:
    """The refusal of a file that is built to harm, or damaged so that it can't be told apart."""
    return SourceError(f"is refused: {detail}", where=str(path), fix="save the model again with model.save()")


def _faults(archive: zipfile.ZipFile) -> Iterator[str]:
    seen: set[str] = set()
    for member in archive.infolist():
        name = PurePosixPath(member.filename.replace("\\", "/"))
        if name.is_absolute() or ".." in name.parts or not name.parts or ":" in name.parts[0]:
            yield f"the member '{member.filename}' points outside the archive"
        if str(name) in seen:
            yield f"the member '{member.filename}' is there twice"
        kind = stat.S_IFMT(member.external_attr >> 16)
        if kind not in {0, stat.S_IFREG, stat.S_IFDIR}:
            yield f"the member '{member.filename}' is a link or a device, not a file"
        if member.compress_type not in _METHODS:
            yield f"the member '{member.filename}' is compressed in a way that models aren't"
        if expands_too_far(member.file_size, member.compress_size):
            yield (
                f"the member '{member.filename}' unpacks {member.compress_size} bytes to {member.file_size},"
                f" more than {MAX_EXPANSION} times as many"
            )
        seen.add(str(name))
