"""One entry on disk: the files of a stage's result, and `entry.json`, which says what they must be.

    {"sha256": of all bytes behind this member with an opening brace in front,
     "format": 1, "key": ..., "created": ..., "files": {relative name: {"sha256", "size"}}, "document": the caller's}

Nothing here waits for the disk. After a power cut an entry may be torn, which its digests show when it is next found;
computing it again costs less than a flush for every file of every stage would.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from recipekit import digests
from recipekit.errors import SourceError

FILE = "entry.json"
PARTS = ("artifacts", "log.txt")
"""What an entry takes over from the folder of a stage, where it is there."""

Made = TypeVar("Made")

_FORMAT = 1
_HEAD = len('{"sha256": "", ') + 64


@dataclass(frozen=True)
class Entry:
    """What a stage has left; whoever finds it again under one lease is given the same one.

    Attributes:
        key: digest of the stage's inputs.
        folder: holds `artifacts/` and `log.txt`, as far as the stage has left them; to be read only.
        document: what the caller has put beside them; to be read only, too.
        files: SHA-256 and size in bytes of each file, by name relative to the folder.
    """

    key: str
    folder: Path
    document: dict[str, Any]
    files: Mapping[str, Mapping[str, Any]]
    _made: dict[Any, Any] = field(default_factory=dict, repr=False, compare=False)

    def once(self, of: Hashable, make: Callable[[], Made]) -> Made:
        """What a caller makes of the entry: made when it is first asked for, and the same object from then on.

        Args:
            of: all that it depends on besides the entry.
            make: makes it; it may be called twice if two threads ask at once.
        """
        if of not in self._made:
            self._made[of] = make()
        made: Made = self._made[of]
        return made


class Stored(NamedTuple):
    """What `entry.json` says.

    Attributes:
        files: SHA-256 and size in bytes by name relative to the entry's folder.
        document: the caller's.
    """

    files: dict[str, dict[str, Any]]
    document: dict[str, Any]


def describe(folder: Path) -> dict[str, dict[str, Any]]:
    """SHA-256 and size of every file that an entry takes over from a folder.

    Raises:
        SourceError: there is something else than files and folders.
        OSError: a file can't be read.
    """
    return {
        path.relative_to(folder).as_posix(): {"sha256": digests.of_file(path), "size": path.stat().st_size}
        for path in _files(folder)
    }


def encode(key: str, files: Mapping[str, Any], document: Mapping[str, Any]) -> bytes:
    """The bytes of `entry.json`; no two calls give the same.

    Raises:
        ValueError: the document holds NaN or an infinity.
        TypeError: the document holds what JSON lacks.
    """
    created = datetime.now(timezone.utc).isoformat()
    said = {"format": _FORMAT, "key": key, "created": created, "files": files, "document": document}
    body = json.dumps(said, allow_nan=False).encode()
    return _sealed(body)


def decode(key: str, data: bytes) -> Stored | None:
    """What the bytes of `entry.json` say; None if they are torn, altered, of another format or of another key."""
    body = b"{" + data[_HEAD:]
    if data != _sealed(body):
        return None
    said = json.loads(body)
    if said["format"] != _FORMAT or said["key"] != key:
        return None
    return Stored(said["files"], said["document"])


def read(folder: Path) -> bytes | None:
    """The bytes of an entry's `entry.json`; None if there is no such file.

    Raises:
        OSError: there is one, and it can't be read.
    """
    try:
        return (folder / FILE).read_bytes()
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return None


def holds(folder: Path, files: Mapping[str, Any]) -> bool:
    """Whether an entry's folder holds exactly the files that were described, byte for byte.

    Raises:
        OSError: a file can't be read.
    """
    try:
        found = {path.relative_to(folder).as_posix(): path for path in digests.files_below(folder)}
        del found[FILE]
        return (
            found.keys() == files.keys()
            and all(path.stat().st_size == files[name]["size"] for name, path in found.items())
            and all(digests.of_file(path) == files[name]["sha256"] for name, path in found.items())
        )
    except (SourceError, KeyError, FileNotFoundError):  # a link, no entry.json, or taken away while it was looked at
        return False


def _sealed(body: bytes) -> bytes:
    """A JSON object with its own digest as its first member."""
    return f'{{"sha256": "{digests.of_bytes(body)}", '.encode() + body[1:]


def _files(folder: Path) -> Iterator[Path]:
    for part in PARTS:
        path = folder / part
        if path.is_dir():
            yield from digests.files_below(path)
        elif os.path.lexists(path):
            yield path
