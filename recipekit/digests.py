"""Digests: how bytes, files, folders and records become names.

Everything that recipekit finds again, it finds by a digest made here. A digest depends on content alone: never on
times, permissions, absolute paths or the order in which a folder lists its files.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import rfc8785

from recipekit.errors import SourceError

_CHUNK = 1 << 20


def of_bytes(data: bytes) -> str:
    """SHA-256 of bytes, in lower-case hex."""
    return hashlib.sha256(data).hexdigest()


def of_file(path: Path) -> str:
    """SHA-256 of a file's bytes, in lower-case hex, read in chunks.

    Raises:
        OSError: the file can't be read.
    """
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def of_tree(folder: Path) -> str:
    """In-toto `dirHash1` of a folder: SHA-256 over the sorted lines `sha256`, two spaces, relative POSIX path, newline.

    Raises:
        SourceError: the folder holds a symbolic link or anything else that isn't a regular file.
    """
    lines = sorted(f"{of_file(path)}  {path.relative_to(folder).as_posix()}\n" for path in files_below(folder))
    return of_bytes("".join(lines).encode())


def files_below(folder: Path) -> Iterator[Path]:
    """Every regular file below a folder, sorted by its path.

    Raises:
        SourceError: the folder holds a symbolic link or anything else that isn't a regular file.
    """
    for parent, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted([*names, *(name for name in folders if Path(parent, name).is_symlink())]):
            path = Path(parent, name)
            if path.is_symlink() or not path.is_file():
                raise SourceError(
                    "is not a regular file, so its content can't be pinned",
                    where=str(path),
                    fix="put a regular file in its place",
                )
            yield path


def canonical_json(value: Any) -> bytes:
    """The RFC 8785 (JCS) form of a JSON value: equal values give equal bytes.

    Args:
        value: null, booleans, strings, finite numbers, integers within ±(2^53-1), lists, mappings with string keys.

    Raises:
        ValueError: the value holds NaN, an infinity, a larger integer or another type.
    """
    try:
        return rfc8785.dumps(value)
    except rfc8785.CanonicalizationError as error:
        raise ValueError(str(error)) from error


def of_json(value: Any) -> str:
    """SHA-256 of a value's canonical JSON."""
    return of_bytes(canonical_json(value))


def pretty_json(value: Any) -> str:
    """JSON for people and diffs: sorted keys, two spaces, a newline at the end; NaN and infinities are refused."""
    return json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"
