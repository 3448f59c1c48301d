"""Claims: which keys are in use, so that garbage collection doesn't remove their entries.

A lease writes every key that it is going to use into a file of its own, and keeps that file locked. The system frees
the lock when the process dies; the claims in a file that isn't locked don't count any more.

Each key has a gate, a lock file. A claim is written under a shared lock of the gate. An entry is removed under an
exclusive one, after all claims have been read. So either the claim is written first, and the collector reads it, or the
entry is removed first, and the lease finds nothing. Nobody waits for anything else while holding a gate.

On a network file system, other machines must see the locks (no `nolock`, no `local_lock`), and must read whole what
was closed on this one; NFS 4 does both.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from uuid import uuid4

from recipekit import fsio, locks
from recipekit.store.layout import Layout


class Claims:
    """The keys that one lease claims, and its area out of sight. Several threads may use it at once."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._id = uuid4().hex
        self._keys: set[str] = set()
        self._descriptor: int | None = None
        self._guard = Lock()

    def add(self, key: str) -> None:
        """Claims a key until the end of the lease.

        Raises:
            OSError: the store can't be written.
            OutputFault: its file system can't lock.
        """
        with self._guard:
            if key not in self._keys:
                self._begin()
                with locks.shared(self._layout.gate(key)), self._file.open("ab") as stream:
                    stream.write(f"{key}\n".encode())
                self._keys.add(key)

    @contextmanager
    def out_of_sight(self) -> Iterator[Path]:
        """A place for a folder on the store's file system that nobody else looks at; what is left there goes."""
        with self._guard:
            self._begin()
        area = self._layout.areas / self._id
        area.mkdir(parents=True, exist_ok=True)
        place = area / uuid4().hex
        try:
            yield place
        finally:
            shutil.rmtree(place, ignore_errors=True)  # what stays goes with the lease, or with the next collection

    def end(self) -> None:
        """Claims nothing any more."""
        with self._guard:
            if self._descriptor is not None:
                shutil.rmtree(self._layout.areas / self._id, ignore_errors=True)
                locks.release(self._file, self._descriptor)
                self._descriptor = None

    @property
    def _file(self) -> Path:
        return self._layout.leases / self._id

    def _begin(self) -> None:
        if self._descriptor is None:
            for folder in (self._layout.leases, self._layout.gates):
                fsio.make_folders(folder)
            self._descriptor = locks.acquire(self._file)


def living(layout: Layout) -> bytes:
    """The keys that living leases claim, a line each; the files of dead leases are removed.

    Raises:
        OSError: the store can't be read and written.
        OutputFault: its file system can't lock.
    """
    texts = []
    for path in layout.leases.glob("*"):
        descriptor = locks.try_acquire(path)
        if descriptor is not None:
            locks.release(path, descriptor)
            continue
        try:
            texts.append(path.read_bytes())
        except FileNotFoundError:
            continue  # it has just ended
    return b"".join(texts)


def sweep(layout: Layout) -> None:
    """Removes the areas of dead leases, and lock files that nobody holds.

    A lock file may be removed while others wait for it: they notice and start over.

    Raises:
        OSError: the store can't be written.
        OutputFault: its file system can't lock.
    """
    areas = list(layout.areas.glob("*"))  # before the leases: each has made its file before its area
    living(layout)
    for area in areas:
        # in this order: a lease removes its area before its file
        if not os.path.lexists(layout.leases / area.name) and area.exists():
            fsio.remove_tree(area)
    for path in layout.computing.glob("*"):
        descriptor = locks.try_acquire(path)
        if descriptor is not None:
            locks.release(path, descriptor)
