"""Where outputs are written before anybody can see them.

Each build has an area of its own on the outputs' file system, and a lock file that its process holds as long as it
lives. The next process cleans up the area of a dead one: if the output had become visible, publishing is completed; if
not, it is undone.

    .staging/<id>.lock                          held by the owner; the system frees it when the owner dies
    .staging/<id>/new/                          the output to be
    .staging/<id>/old/<name>/<version>/<key>/   the output that it replaces, while it does
    .staging/<id>/link/<name>                   what `latest` of that name will be once `new` has left
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from uuid import uuid4

from recipekit import fsio, locks
from recipekit.errors import OutputFault
from recipekit.outputs.names import LATEST

_ROOT_LOCK = "root.lock"
_PATIENCE_SECONDS = 60
"""How long another process may keep the outputs to itself; it only renames, so it takes milliseconds."""


class Area:
    """The folders of one build's staging area."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.lock = Path(f"{folder}.lock")
        self.new = folder / "new"
        self.old = folder / "old"
        self.links = folder / "link"

    def prepare_link(self, name: str, target: str) -> Path:
        """A symbolic link that is ready to become `latest` of a name; whoever makes it waits for the disk."""
        self.links.mkdir(exist_ok=True)
        link = self.links / name
        link.unlink(missing_ok=True)
        link.symlink_to(target)
        return link


class Staging:
    """All staging areas of an outputs folder."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._home = root / ".staging"

    @contextmanager
    def area(self) -> Iterator[Area]:
        """A fresh area, gone at the end with whatever is left in it.

        Raises:
            OutputFault: the file system refused.
        """
        area = Area(self._home / uuid4().hex)
        with fsio.reported(area.folder):
            fsio.make_folders(self._home)
            owner = locks.acquire(area.lock)
        try:
            with fsio.reported(area.folder):
                area.new.mkdir(parents=True)
            yield area
        finally:
            with fsio.reported(area.folder):
                self._end(area, owner)

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Keeps every other process from changing which outputs are visible.

        Raises:
            OutputFault: another process doesn't let go.
        """
        path = self._home / _ROOT_LOCK
        fsio.make_folders(self._home)
        descriptor = locks.acquire_within(path, _PATIENCE_SECONDS)
        if descriptor is None:
            raise OutputFault(
                f"another process has kept the outputs locked for {_PATIENCE_SECONDS} seconds",
                where=str(path),
                fix="end that process (`fuser` names it) and run again",
            )
        try:
            yield
        finally:
            os.close(descriptor)

    def reclaim(self) -> None:
        """Settles the areas of processes that died.

        Raises:
            OutputFault: the file system refused.
        """
        if not self._home.is_dir():
            return
        with fsio.reported(self._home):
            for name in sorted({path.name.removesuffix(".lock") for path in self._home.iterdir()} - {"root"}):
                area = Area(self._home / name)
                owner = locks.try_acquire(area.lock)
                if owner is not None:
                    self._end(area, owner)

    def _end(self, area: Area, owner: int) -> None:
        """Settles an area whose lock is held, and lets go of it; where that fails, the next process finds it free."""
        try:
            self._settle(area)
            area.lock.unlink()
        finally:
            os.close(owner)

    def _settle(self, area: Area) -> None:
        """Ends what an area's owner began: the one step that makes an output visible decides how."""
        replaced, links = list(area.old.glob("*/*/*")), list(area.links.glob("*"))
        with self.exclusive() if replaced or links else nullcontext():
            for old in replaced:
                place = self._root / old.relative_to(area.old)
                if not os.path.lexists(place):
                    fsio.rename(old, place)
            for link in links:
                if area.new.exists():
                    link.unlink()
                else:
                    fsio.replace_link(link, self._root / link.name / LATEST)
        if area.folder.exists():
            fsio.remove_tree(area.folder)
