"""Folders in which the inputs of a recorded build are looked for, whatever their names have become.

Code and model sources are known by their digest; number and size of their files say which candidates are worth
reading. A dataset is known by its samples alone, so only likely places of it are named here.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from recipekit import digests
from recipekit.audit.recorded_output import RecordedInput
from recipekit.errors import SourceError


class _Extent(NamedTuple):
    """How many files there are, and their size in bytes altogether."""

    files: int
    bytes: int


class Shelves:
    """Some folders that the user names; each is listed once, when something is first looked for."""

    def __init__(self, folders: Sequence[Path]) -> None:
        self._folders = tuple(folder.resolve() for folder in folders)

    def find(self, wanted: RecordedInput) -> Path | None:
        """Where an input lies by its digest, preferably under its old name; None where it doesn't."""
        name = Path(wanted.path or wanted.name).name
        candidates = sorted(self._candidates(wanted), key=lambda path: (path.name != name, path))
        return next((path for path in candidates if _digest(path, wanted) == wanted.digest), None)

    def named(self, path: str) -> Iterator[Path]:
        """Places that may be what a recorded path meant: by as much of the path as is there, then by its last name.

        Args:
            path: of a file or folder, or a pattern whose last part holds wildcards.
        """
        parts = Path(path).parts[Path(path).is_absolute() :]
        likely = [folder.joinpath(*parts[at:]) for folder in self._folders for at in range(len(parts))]
        listed = [*self._listing[0], *self._listing[1]]
        likely += sorted(place for place in listed if place.name == parts[-1])
        yield from dict.fromkeys(place for place in likely if is_there(place))

    def _candidates(self, wanted: RecordedInput) -> list[Path]:
        files, folders, packages = self._listing
        extent = _Extent(wanted.files, wanted.bytes)
        if wanted.algorithm == "sha256":
            return [path for path, size in files.items() if size == wanted.bytes]
        return [path for path, found in (packages if wanted.is_code else folders).items() if found == extent]

    @cached_property
    def _listing(self) -> tuple[dict[Path, int], dict[Path, _Extent], dict[Path, _Extent]]:
        """Files with their size, folders with the extent of all files below them, and of their `.py` files alone."""
        files: dict[Path, int] = {}
        below: dict[Path, list[Path]] = defaultdict(list)
        for shelf in self._folders:
            for parent, _, names in os.walk(shelf):
                for path in (Path(parent, name) for name in names):
                    if path.is_file() and not path.is_symlink():
                        files[path] = path.stat().st_size
                        for folder in path.relative_to(shelf).parents:
                            below[shelf / folder].append(path)
        folders = {folder: _extent(paths, files) for folder, paths in below.items()}
        packages = {
            folder: _extent([path for path in paths if path.suffix == ".py"], files) for folder, paths in below.items()
        }
        return files, folders, packages


def is_there(place: Path) -> bool:
    """Whether a path leads to something, or, if its last part is a pattern, to anything that matches it."""
    if place.exists():
        return True
    return any(letter in place.name for letter in "*?[") and any(place.parent.glob(place.name))


def _extent(paths: Sequence[Path], sizes: dict[Path, int]) -> _Extent:
    return _Extent(len(paths), sum(sizes[path] for path in paths))


def _digest(place: Path, wanted: RecordedInput) -> str | None:
    """The digest that the place has in the input's way; None where it can't be read."""
    try:
        if wanted.algorithm == "sha256":
            return digests.of_file(place)
        if not wanted.is_code:
            return digests.of_tree(place)
        code = (path for path in place.rglob("*.py") if path.is_file())
        return digests.of_names({path.relative_to(place).as_posix(): digests.of_file(path) for path in code})
    except (OSError, SourceError):
        return None
