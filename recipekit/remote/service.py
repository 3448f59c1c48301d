"""The operations that a place needs of a storage service, most of them through fsspec.

A service must write an object as a whole or not at all, and must refuse a conditional write whose condition no longer
holds; no client could make up for that. There are two conditions. "There is no such object" is `mode="create"` in
fsspec, the same for every service. "The object is still the version that I read" differs from service to service.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, NamedTuple

PATIENCE_SECONDS = 40
"""How long a request for a small object may take, its repetitions included."""


class Found(NamedTuple):
    """An object as it was read: its bytes, and what tells this version from any other."""

    data: bytes
    version: Any


class Service(ABC):
    """One service, reached with its own credentials; several threads may ask at once. A path begins with the bucket."""

    @abstractmethod
    def read(self, path: str) -> Found | None:
        """A small object; None if there is none."""

    @abstractmethod
    def create(self, path: str, data: bytes) -> bool:
        """Writes a small object where there is none; False if there is one."""

    @abstractmethod
    def replace(self, path: str, data: bytes, version: Any) -> bool:
        """Writes a small object over the version that was read; False if that isn't there any more."""

    @abstractmethod
    def size(self, path: str) -> int | None:
        """The bytes of an object; None if there is none."""

    @abstractmethod
    def upload(self, local: Path, path: str) -> None:
        """Writes a file as an object, whatever is there."""

    @abstractmethod
    def download(self, path: str, local: Path) -> bool:
        """Writes an object as a file; False if there is none."""

    @abstractmethod
    def names(self, path: str) -> list[str]:
        """The names of all objects below a path, relative to it."""


class Filesystem(Service):
    """A service through fsspec.

    Attributes:
        fs: fsspec's file system, without its cache of listings, which knows nothing of other machines.
    """

    def __init__(self, fs: Any) -> None:
        self.fs = fs

    def create(self, path: str, data: bytes) -> bool:
        """Writes a small object where there is none; False if there is one."""
        try:
            self.fs.pipe_file(path, data, mode="create", timeout=PATIENCE_SECONDS)
        except FileExistsError:
            return False
        return True

    def size(self, path: str) -> int | None:
        """The bytes of an object; None if there is none."""
        try:
            return int(self.fs.info(path, timeout=PATIENCE_SECONDS)["size"])
        except FileNotFoundError:
            return None

    def upload(self, local: Path, path: str) -> None:
        """Writes a file as an object, whatever is there."""
        self.fs.put_file(str(local), path)

    def download(self, path: str, local: Path) -> bool:
        """Writes an object as a file; False if there is none."""
        try:
            self.fs.get_file(path, str(local))
        except FileNotFoundError:
            local.unlink(missing_ok=True)  # some begin with an empty file
            return False
        return True

    def names(self, path: str) -> list[str]:
        """The names of all objects below a path, relative to it."""
        try:
            found = self.fs.find(path)
        except FileNotFoundError:
            return []
        return [name.removeprefix(f"{path}/") for name in found]
