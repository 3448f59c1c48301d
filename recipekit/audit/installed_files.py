"""Whether the files of installed packages are still those that were installed: each against its package's RECORD."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import FileHash, PackageNotFoundError, PackagePath, distribution
from pathlib import Path

from recipekit.contracts import Record

_CHUNK = 1 << 20


class InstalledFiles(Record, frozen=True, kw_only=True):
    """What became of the files of some packages.

    Attributes:
        packages: how many were looked at.
        files: how many files.
        altered: those that are missing or have other bytes than RECORD says, `package: path: what`.
    """

    packages: int
    files: int
    altered: tuple[str, ...]


def check_installed(packages: Iterable[str]) -> InstalledFiles:
    """Hashes every file that the RECORD of some packages has a digest of.

    Byte code, and scripts outside of the packages' folder, which installers write anew, have none or don't count.

    Args:
        packages: names of distributions; one that isn't installed, or has no RECORD, has no files.
    """
    names = list(packages)
    recorded = [(name, *entry) for name in names for entry in _recorded(name)]
    with ThreadPoolExecutor() as threads:  # hashing leaves the interpreter to others
        faults = threads.map(_fault, (path for _, path, _ in recorded), (hashed for _, _, hashed in recorded))
        altered = [f"{name}: {path}: {fault}" for (name, path, _), fault in zip(recorded, faults, strict=True) if fault]
    return InstalledFiles(packages=len(names), files=len(recorded), altered=tuple(altered))


def _recorded(package: str) -> Iterator[tuple[PackagePath, FileHash]]:
    try:
        entries = distribution(package).files or ()
    except PackageNotFoundError:
        return
    yield from ((entry, entry.hash) for entry in entries if entry.hash is not None and ".." not in entry.parts)


def _fault(entry: PackagePath, installed: FileHash) -> str:
    """What is wrong with a file; empty for nothing."""
    path = Path(str(entry.locate()))
    digest = hashlib.new(installed.mode)
    try:
        with path.open("rb") as stream:
            while chunk := stream.read(_CHUNK):
                digest.update(chunk)
    except OSError as error:
        return "is missing" if isinstance(error, FileNotFoundError) else f"can't be read: {error.strerror}"
    found = base64.urlsafe_b64encode(digest.digest()).rstrip(b"=").decode()
    return "" if found == installed.value else f"{installed.mode} {installed.value} installed, {found} now"
