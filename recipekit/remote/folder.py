"""A folder that many machines mount, such as NFS, by `file://`: links create, a lock lets one at a time replace."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

from recipekit import digests, locks
from recipekit.remote.service import Found, Service

_LOCK = ".lock"
_FRESH = ".fresh-"
"""Begins the name of a file that isn't an object yet; it lies beside what it becomes, on the same file system."""


class Folder(Service):
    """Files below a folder; a path is a file's."""

    def __init__(self, root: Path) -> None:
        """Names the folder, which must be there: an unmounted one would be made anew on every machine."""
        self._root = root

    def read(self, path: str) -> Found | None:
        """A small file and its digest."""
        try:
            data = Path(path).read_bytes()
        except FileNotFoundError:
            self._require_root()
            return None
        return Found(data, digests.of_bytes(data))

    def create(self, path: str, data: bytes) -> bool:
        """Writes a small file where there is none, in one step."""
        with self._fresh(path) as fresh:
            fresh.write_bytes(data)
            try:
                Path(path).hardlink_to(fresh)
            except FileExistsError:
                return False
        return True

    def replace(self, path: str, data: bytes, version: Any) -> bool:
        """Writes a small file over the one with a digest, in one step."""
        with locks.exclusive(self._root / _LOCK), self._fresh(path) as fresh:
            found = self.read(path)
            if found is None or found.version != version:
                return False
            fresh.write_bytes(data)
            fresh.replace(path)
        return True

    def size(self, path: str) -> int | None:
        """The bytes of a file; None if there is none."""
        try:
            return Path(path).stat().st_size
        except FileNotFoundError:
            return None

    def upload(self, local: Path, path: str) -> None:
        """Copies a file there, in one step."""
        with self._fresh(path) as fresh:
            shutil.copyfile(local, fresh)
            fresh.replace(path)

    def download(self, path: str, local: Path) -> bool:
        """Copies a file here; False if there is none."""
        try:
            shutil.copyfile(path, local)
        except FileNotFoundError:
            return False
        return True

    def names(self, path: str) -> list[str]:
        """The names of all files below a folder, relative to it."""
        files = (each for each in Path(path).rglob("*") if each.is_file() and not each.name.startswith(_FRESH))
        return sorted(each.relative_to(path).as_posix() for each in files)

    @contextmanager
    def _fresh(self, path: str) -> Iterator[Path]:
        self._require_root()
        home = Path(path).parent
        home.mkdir(parents=True, exist_ok=True)
        fresh = home / f"{_FRESH}{uuid4().hex}"
        try:
            yield fresh
        finally:
            fresh.unlink(missing_ok=True)

    def _require_root(self) -> None:
        if not self._root.is_dir():
            raise FileNotFoundError(self._root)
