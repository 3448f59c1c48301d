"""Writes that last, each by its own function, and their failures in words.

Whatever must survive a crash is written through this module, so that a test can let the n-th write fail or be the
last. It knows nothing of what is written.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import shutil
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from functools import cache
from itertools import takewhile
from pathlib import Path
from typing import NamedTuple

from recipekit.errors import OutputFault

_AT_ONCE = 5
"""Files that are waited for at a time, since one commit of the file system's journal then serves them all."""

_CHUNK = 1 << 20

_NO_SPACE = {errno.ENOSPC, errno.EDQUOT}
_NO_RIGHT = {errno.EACCES, errno.EPERM}
_FIXES = {
    errno.EROFS: "choose a folder on a file system that can be written",
    errno.ENOTDIR: "put a folder in the place of the file on that path, or choose another path",
    errno.EXDEV: "keep the whole outputs folder on one file system",
    errno.EMFILE: "raise the limit of open files (`ulimit -n`)",
    errno.ENFILE: "close other programs; the system has no open file left",
    errno.EIO: "check the disk",
}


def write_bytes(path: Path, data: bytes) -> None:
    """Creates a file and waits until its bytes are on the disk.

    Raises:
        OSError: the file exists, or can't be written; a full disk may only be noticed by the last call of all.
    """
    with path.open("xb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())


def write_parts(path: Path, parts: Iterable[str]) -> None:
    """Creates a file of a text that comes part by part, and waits until its bytes are on the disk.

    Raises:
        OSError: as `write_bytes` does.
    """
    with path.open("x", encoding="utf-8", newline="", buffering=1 << 20) as stream:
        stream.writelines(parts)
        stream.flush()
        os.fsync(stream.fileno())


class Written(NamedTuple):
    """A file that was written: SHA-256 of its bytes, in lower-case hex, and how many they are."""

    sha256: str
    size: int


def write_digested(path: Path, parts: Iterable[bytes]) -> Written:
    """Creates a file of bytes that come part by part, and digests them as they go by; `sync_tree` waits for the disk.

    Raises:
        OSError: the file exists, or can't be written.
    """
    digest, size = hashlib.sha256(), 0
    with path.open("xb") as stream:
        for part in parts:
            digest.update(part)
            size += stream.write(part)
    return Written(digest.hexdigest(), size)


def read_parts(path: Path, start: int = 0, end: int | None = None) -> Iterator[bytes]:
    """The bytes of a file from one place to another one, or to its end, part by part.

    Raises:
        OSError: the file can't be read.
    """
    with path.open("rb") as stream:
        left = os.fstat(stream.fileno()).st_size - start if end is None else end - start
        stream.seek(start)
        while left > 0 and (part := stream.read(min(left, _CHUNK))):
            left -= len(part)
            yield part


def sync(path: Path) -> None:
    """Waits until a file's bytes, or a folder's list of names, are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@cache
def _syncing() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(2 * _AT_ONCE, thread_name_prefix="fsync")


os.register_at_fork(after_in_child=_syncing.cache_clear)  # a fork has none of the threads, and would wait for them


def _sync_all(paths: Iterable[Path]) -> None:
    for path in paths:
        sync(path)


def sync_tree(folder: Path, last: str) -> None:
    """Waits for every file of a folder, then one of them, then the folders from the innermost to itself.

    Args:
        folder: holds regular files and folders alone.
        last: name of the file that says what the others are.
    """
    files, folders = [], [folder]
    for parent, inner, names in os.walk(folder):
        folders += [Path(parent, name) for name in inner]
        files += [Path(parent, name) for name in names]
    files.remove(folder / last)
    waits = [_syncing().submit(_sync_all, files[start::_AT_ONCE]) for start in range(min(_AT_ONCE, len(files)))]
    wait(waits)
    for each in waits:
        each.result()
    for path in (folder / last, *sorted(folders, key=lambda path: -len(path.parts))):
        sync(path)


def make_folders(path: Path) -> None:
    """Makes a folder and its missing parents, each one lasting."""
    missing = takewhile(lambda folder: not folder.exists(), (path, *path.parents))
    for folder in reversed(tuple(missing)):
        folder.mkdir(exist_ok=True)
        sync(folder.parent)


def rename(source: Path, target: Path) -> None:
    """Renames a file or folder within one file system; an empty folder in the target's place would be lost."""
    source.rename(target)
    sync(target.parent)
    if source.parent != target.parent:
        sync(source.parent)


def replace_link(fresh: Path, link: Path) -> None:
    """Puts a symbolic link that was made elsewhere in the place of another one, or of none, in one step."""
    fresh.replace(link)
    sync(link.parent)


@contextmanager
def held(folder: Path) -> Iterator[int]:
    """Keeps other processes that hold a folder waiting; the system lets go of it when this one dies.

    Yields:
        The folder's descriptor, which stays with it wherever it is moved.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
    finally:
        os.close(descriptor)


def replace_file(folder: Path, descriptor: int, name: str, data: bytes) -> None:
    """Puts a file in the place of another one, or of none, in one step.

    The file is written beside the folder first, so that a crash leaves nothing in the folder that isn't its own.

    Args:
        folder: that the file belongs into.
        descriptor: of the folder, from `held`.
        name: of the file.
        data: its bytes.
    """
    fresh = folder.parent / f".{folder.name}.{name}"
    fresh.unlink(missing_ok=True)  # of a process that died; nobody else writes it while the folder is held
    try:
        write_bytes(fresh, data)
        os.replace(fresh, name, dst_dir_fd=descriptor)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise
    os.fsync(descriptor)


def remove_file(path: Path) -> None:
    """Removes a file or a symbolic link, lastingly."""
    path.unlink()
    sync(path.parent)


def remove_tree(folder: Path) -> None:
    """Removes a folder with all that is in it."""
    shutil.rmtree(folder)


@contextmanager
def reported(place: Path, needed: int = 0) -> Iterator[None]:
    """Turns an OSError of the block into the fault that a user reads.

    Args:
        place: the path of the fault where the error names none.
        needed: bytes that the block has to write, for the message about a full disk.

    Raises:
        OutputFault: with the path, the reason and what helps.
    """
    try:
        yield
    except OSError as error:
        where = Path(os.fsdecode(error.filename)) if isinstance(error.filename, str | bytes) else place
        reason = error.strerror or str(error)
        if error.errno in _NO_SPACE:
            reason = f"{reason}: {needed:,} bytes needed, {free_bytes(place):,} free"
            fix = "free space there, or choose another outputs folder"
        elif error.errno in _NO_RIGHT:
            fix = f"make it writable for you; it belongs to {_owner(where)}"
        else:
            fix = _FIXES.get(error.errno or 0, "")
        raise OutputFault(f"the file system refused: {reason}", where=str(where), fix=fix) from error


def free_bytes(path: Path) -> int:
    """Bytes that the file system of a path, or of its nearest parent that exists, still takes."""
    return shutil.disk_usage(_nearest(path)).free


def _nearest(path: Path) -> Path:
    return next(folder for folder in (path, *path.absolute().parents) if os.access(folder, os.F_OK))


def _owner(path: Path) -> str:
    try:
        return _nearest(path).owner()
    except (KeyError, OSError):
        return "another user"
