"""The content-addressed store of what stages have computed.

It knows keys, files and JSON; it knows neither stages nor recipes. Failures are never put into it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from recipekit import fsio
from recipekit.project import Project
from recipekit.store.claims import Claims
from recipekit.store.collection import Collected, collect
from recipekit.store.layout import Layout
from recipekit.store.lease import Lease
from recipekit.store.shared import SharedEntries
from recipekit.store.survey import StoreInfo, summarize


class Store:
    """A folder of entries, shared by any number of threads, processes and machines.

    On a network file system, its locks must work between the machines, as they do on NFS 4. Several users share a store
    if its root and their umask let a common group write.
    """

    def __init__(self, root: Path, shared: str = "") -> None:
        """Names the folder; it is made when something is first held or put.

        Args:
            root: the folder.
            shared: the URL of what other machines share with this one; empty for nothing.
        """
        self._layout = Layout(root)
        self._shared = shared

    @classmethod
    def of(cls, project: Project) -> Store:
        """The store that a project's settings want."""
        return cls(project.store, project.shared_store)

    @contextmanager
    def lease(self) -> Iterator[Lease]:
        """A run's claim: while it lasts, no collection in any process removes what it has found or put.

        Raises:
            OutputFault: at the end: the store can't be written any more.
        """
        claims = Claims(self._layout)
        try:
            yield Lease(self._layout, claims, SharedEntries(self._shared) if self._shared else None)
        finally:
            with fsio.reported(self._layout.root):
                claims.end()

    def info(self) -> StoreInfo:
        """How much there is, of which stages, and when it was used.

        Raises:
            OutputFault: the store can't be read.
        """
        with fsio.reported(self._layout.root):
            return summarize(self._layout)

    def collect(self, *, older_than: float | None, max_bytes: int | None, dry_run: bool = False) -> Collected:
        """Removes entries, those first that have been unused the longest, and what dead processes have left.

        Args:
            older_than: removes what was last used at least so many seconds ago; None for no such limit.
            max_bytes: then removes until the rest is no larger; None for no such limit.
            dry_run: only counts.

        Raises:
            OutputFault: the store can't be read or written, or can't lock.
        """
        if not self._layout.root.is_dir():
            return Collected(0, 0, 0)
        claims = Claims(self._layout)
        with fsio.reported(self._layout.root):
            try:
                return collect(self._layout, claims, older_than, max_bytes, dry_run=dry_run)
            finally:
                claims.end()
