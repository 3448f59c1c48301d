"""Where stages leave their requests, artifacts and logs while a build runs.

A build that succeeds takes its folder with it. One that fails leaves it, so that the failed stage can be tried again
alone; the next build of the same recipe clears it away.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from uuid import uuid4

from recipekit import fsio, locks
from recipekit.errors import RecipekitError


class Workspace:
    """The folder of one build; it is made when a stage first needs it, since many builds find everything."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._folder = home / uuid4().hex[:12]
        self._owner: int | None = None
        self._making = Lock()

    @property
    def folder(self) -> Path:
        """The folder, made now if it wasn't; several threads may ask.

        Raises:
            OutputFault: the file system refused.
        """
        with self._making, fsio.reported(self._folder):
            if self._owner is None:
                fsio.make_folders(self._home)
                _clear(self._home)
                self._owner = locks.acquire(_lock_of(self._folder))
                self._folder.mkdir()
        return self._folder

    def end(self, *, keep: bool) -> None:
        """Lets go of the folder.

        Args:
            keep: whether it stays until the next build.

        Raises:
            OutputFault: the file system refused.
        """
        if self._owner is not None:
            try:
                if not keep:
                    with fsio.reported(self._folder):
                        _remove(self._folder)
            finally:
                os.close(self._owner)
                self._owner = None


@contextmanager
def workspace(outputs: Path, name: str) -> Iterator[Workspace]:
    """A fresh folder for one build of a recipe, below `outputs/.work/<name>`.

    Raises:
        OutputFault: the file system refused.
    """
    space = Workspace(outputs / ".work" / name)
    kept = False
    try:
        yield space
    except RecipekitError:
        kept = True
        raise
    finally:
        space.end(keep=kept)


def _lock_of(folder: Path) -> Path:
    """The file that the process of a build keeps locked as long as it lives."""
    return Path(f"{folder}.lock")


def _clear(home: Path) -> None:
    """Removes the folders of builds that have ended."""
    for lock in home.glob("*.lock"):
        owner = locks.try_acquire(lock)
        if owner is not None:
            try:
                _remove(lock.with_suffix(""))
            finally:
                os.close(owner)


def _remove(folder: Path) -> None:
    """Removes a folder and its lock file, which the caller holds: once it lets go, another build may clear, too."""
    if folder.exists():
        fsio.remove_tree(folder)
    _lock_of(folder).unlink(missing_ok=True)
