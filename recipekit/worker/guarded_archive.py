"""Zip archives of strangers: looked at as a whole before a member is read, and read no further than they say.

A loader unpacks what an archive holds, into memory or into a folder. So members must stay inside of it, bear one name
each, and unpack to no more than a sane multiple of what is stored; what a member really unpacks to is bounded while it
is read, whatever the directory says. It knows nothing of models.
"""

from __future__ import annotations

import shutil
import stat
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO

from recipekit.errors import SourceError

MAX_EXPANSION = 100
"""How many times what is stored a member or dataset may be; compression of weights gives 1.1, of zeros 1,000."""

FREE_BYTES = 32 * 2**20
"""Below this size a member or dataset may expand as it likes."""

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
def seekable(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Iterator[IO[bytes]]:
    """A member to move about in: where it stands if it is stored plainly, else unpacked into an unnamed file.

    Raises:
        zipfile.BadZipFile: it is damaged, or unpacks to another size than the directory says.
    """
    with archive.open(member) as stream:
        if member.compress_type == zipfile.ZIP_STORED:
            yield stream
        else:
            with tempfile.TemporaryFile() as unpacked:
                shutil.copyfileobj(stream, unpacked)
                unpacked.seek(0)
                yield unpacked


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
