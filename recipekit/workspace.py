"""Where stages leave their requests, artifacts and logs while a build runs.

A build that succeeds takes its folder with it. One that fails leaves it, so that the failed stage can be tried again
alone; the next build of the same recipe clears it away.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from filelock import FileLock, Timeout

from recipekit import fsio
from recipekit.errors import RecipekitError


@contextmanager
def workspace(outputs: Path, name: str) -> Iterator[Path]:
    """A fresh folder for one build of a recipe, below `outputs/.work/<name>`.

    Raises:
        OutputFault: the file system refused.
    """
    home = outputs / ".work" / name
    folder = home / uuid4().hex[:12]
    with fsio.reported(folder):
        fsio.make_folders(home)
        _clear(home)
        owner = FileLock(f"{folder}.lock")
        owner.acquire()
        folder.mkdir()
    kept = False
    try:
        yield folder
    except RecipekitError:
        kept = True
        raise
    finally:
        owner.release()
        if not kept:
            with fsio.reported(folder):
                fsio.remove_tree(folder)
                Path(owner.lock_file).unlink(missing_ok=True)


def _clear(home: Path) -> None:
    """Removes the folders of builds that have ended."""
    for lock_file in home.glob("*.lock"):
        owner = FileLock(lock_file)
        try:
            owner.acquire(blocking=False)
        except Timeout:
            continue
        if lock_file.with_suffix("").exists():
            fsio.remove_tree(lock_file.with_suffix(""))
        owner.release()
        lock_file.unlink(missing_ok=True)
