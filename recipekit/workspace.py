"""Where stages leave their requests, artifacts and logs while a build runs.

A build that succeeds takes its folder with it. One that fails leaves it, so that the failed stage can be tried again
alone; the next build of the same recipe clears it away.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from uuid import uuid4

from filelock import FileLock, Timeout

from recipekit import fsio
from recipekit.errors import RecipekitError


class Workspace:
    """The folder of one build; it is made when a stage first needs it, since many builds find everything."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._folder = home / uuid4().hex[:12]
        self._owner = FileLock(f"{self._folder}.lock", thread_local=False)
        self._making = Lock()

    @property
    def folder(self) -> Path:
        """The folder, made now if it wasn't; several threads may ask.

        Raises:
            OutputFault: the file system refused.
        """
        with self._making, fsio.reported(self._folder):
            if not self._owner.is_locked:
                fsio.make_folders(self._home)
                _clear(self._home)
                self._owner.acquire()
                self._folder.mkdir()
        return self._folder

    def end(self, *, keep: bool) -> None:
        """Lets go of the folder.

        Args:
            keep: whether it stays until the next build.

        Raises:
            OutputFault: the file system refused.
        """
        if self._owner.is_locked:
            try:
                if not keep:
                    with fsio.reported(self._folder):
                        _remove(self._folder)
            finally:
                self._owner.release()


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


def _clear(home: Path) -> None:
    """Removes the folders of builds that have ended."""
    for lock_file in home.glob("*.lock"):
        owner = FileLock(lock_file)
        try:
            owner.acquire(blocking=False)
        except Timeout:
            continue
        try:
            _remove(lock_file.with_suffix(""))
        finally:
            owner.release()


def _remove(folder: Path) -> None:
    """Removes a folder and its lock file, which the caller holds: after its release another build may clear, too."""
    if folder.exists():
        fsio.remove_tree(folder)
    Path(f"{folder}.lock").unlink(missing_ok=True)
