"""One run's access to the store: it finds entries, lets one process compute a missing one, and puts the result.

Finding an entry writes a claim into the store, so that no collector removes the entry while it is used. A store that
this user can't write is read without claims; its owner may then collect an entry that is in use here, which shows as a
missing file. Putting something into such a store is a fault.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from threading import Lock
from typing import Any

from recipekit import fsio, locks
from recipekit.store import entry as entries
from recipekit.store.claims import Claims
from recipekit.store.entry import Entry, Stored
from recipekit.store.layout import Layout
from recipekit.store.shared import SharedEntries

_UNWRITABLE = {errno.EROFS, errno.EACCES, errno.EPERM}
_CHUNK = 1 << 20
_TAKEN = {errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR}


class Lease:
    """A claim on what it has found or put, until its end. Several threads may use it at once."""

    def __init__(self, layout: Layout, claims: Claims, shared: SharedEntries | None = None) -> None:
        self._layout = layout
        self._claims = claims
        self._shared = shared
        self._verified: dict[str, tuple[bytes, Entry]] = {}
        self._turns: dict[str, Lock] = {}
        self._bringing: dict[str, Lock] = {}

    def find(self, key: str) -> Entry | None:
        """The entry of a key, or None; what other machines share is brought here.

        Every file is read and compared with its digest when this lease finds the entry for the first time. An entry
        that isn't whole is removed and counts as absent.

        Raises:
            OutputFault: the store can't be read, is full, or can't lock.
            EnvironmentFault: what the shared store needs is not installed.
        """
        entry = self.find_here(key)
        if entry is None and self._shared is not None:
            return self._brought(key, self._shared)
        return entry

    def find_here(self, key: str) -> Entry | None:
        """The entry of a key, or None, whatever other machines share; raises what `find` raises."""
        folder = self._layout.entry(key)
        if not os.path.lexists(folder):
            return None
        with fsio.reported(folder):
            with _as_far_as_writable():
                self._claims.add(key)
            with self._turns.setdefault(key, Lock()):  # threads that find the same entry read it once
                data = entries.read(folder)
                verified, entry = self._verified.get(key, (b"", None))
                if entry is None or data != verified:
                    stored = None if data is None else entries.decode(key, data)
                    if data is None or stored is None or not entries.holds(folder, stored.files):
                        self._discard(key, data)
                        return None
                    entry = self._keep(key, data, stored)
            with suppress(OSError):  # when it was last used isn't worth a fault
                os.utime(folder / entries.FILE)
        return entry

    def messages(self) -> list[str]:
        """What a user should know of the shared store and hasn't been told yet; asking takes it away."""
        return [] if self._shared is None else self._shared.messages()

    @contextmanager
    def hold(self, key: str, waiting: Callable[[str], None]) -> Iterator[None]:
        """Holds the lock of a key, so that one computes its entry; the system frees it when the process dies.

        `find` and `put` don't need it and may be used inside; the same thread can't hold a key twice.

        Args:
            key: names the lock.
            waiting: is called once with a message if another process or thread holds the lock.

        Raises:
            OutputFault: the store can't be written, or can't lock.
        """
        path = self._layout.lock(key)
        with fsio.reported(path):
            fsio.make_folders(self._layout.computing)
            descriptor = locks.try_acquire(path)
        if descriptor is None:
            waiting(f"{locks.holder(path)} computes the same stage; waiting for it")
            with fsio.reported(path):
                descriptor = locks.acquire(path)
        with locks.signed(path, descriptor):
            yield

    def put(self, key: str, folder: Path, document: Mapping[str, Any]) -> Entry:
        """Makes a finished stage the entry of a key, in one step, or not at all.

        Args:
            key: the digest of the stage's inputs.
            folder: its `artifacts/` and `log.txt` are moved into the store.
            document: JSON to keep beside them; `stage` names the stage.

        Returns:
            The entry; if the key has one already, here or in the shared store, that one, and what was brought is
            dropped.

        Raises:
            OutputFault: the store can't be written or locked, or is full.
            SourceError: `artifacts/` holds something else than files and folders.
            ValueError: the document holds NaN or an infinity.
            TypeError: the document holds what JSON lacks.
        """
        target = self._layout.entry(key)
        with fsio.reported(self._layout.root):
            files = entries.describe(folder)
        with fsio.reported(target, sum(described["size"] for described in files.values())):
            self._claims.add(key)
            with self._claims.out_of_sight() as fresh:
                fresh.mkdir()
                data = entries.encode(key, files, document)
                (fresh / entries.FILE).write_bytes(data)
                for part in entries.PARTS:
                    _move(folder / part, fresh / part)
                with self._agreed(key, fresh, data) as (agreed, said):
                    return self._shown(key, agreed, said)

    @contextmanager
    def _agreed(self, key: str, fresh: Path, data: bytes) -> Iterator[tuple[Path, bytes]]:
        """The entry that all machines have from now on, before anybody here sees another one: its folder and bytes."""
        if self._shared is None:
            yield fresh, data
            return
        with ExitStack() as areas:

            def elsewhere() -> Path:
                place = areas.enter_context(self._claims.out_of_sight())
                place.mkdir()
                return place

            agreed, said = self._shared.offer(key, fresh, data, elsewhere)
            if said != data:
                (agreed / entries.FILE).write_bytes(said)
            yield agreed, said

    def _brought(self, key: str, shared: SharedEntries) -> Entry | None:
        """Makes an entry of the shared store one of this store's."""
        with fsio.reported(self._layout.entry(key)), self._bringing.setdefault(key, Lock()):
            there = self.find_here(key)
            if there is not None:
                return there  # another thread has brought it
            self._claims.add(key)
            with self._claims.out_of_sight() as fresh:
                fresh.mkdir()
                data = shared.bring(key, fresh)
                if data is None:
                    return None
                (fresh / entries.FILE).write_bytes(data)
                return self._shown(key, fresh, data)

    def _shown(self, key: str, fresh: Path, data: bytes) -> Entry:
        """Makes a folder with an entry's files the entry, unless there is one: then that."""
        while not _show(fresh, self._layout.entry(key)):
            there = self.find_here(key)
            if there is not None:
                return there
        said = json.loads(data)
        return self._keep(key, data, Stored(said["files"], said["document"]))

    def _keep(self, key: str, data: bytes, stored: Stored) -> Entry:
        """Makes an entry that is whole the one that is found while its `entry.json` stays the same."""
        entry = Entry(key, self._layout.entry(key), stored.document, stored.files)
        self._verified[key] = (data, entry)
        return entry

    def _discard(self, key: str, data: bytes | None) -> None:
        """Removes an entry that isn't whole, unless it was replaced since its `entry.json` was read."""
        folder = self._layout.entry(key)
        with _as_far_as_writable(), self._claims.out_of_sight() as place, locks.exclusive(self._layout.gate(key)):
            if os.path.lexists(folder) and entries.read(folder) == data:
                folder.rename(place)


@contextmanager
def _as_far_as_writable() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in _UNWRITABLE:
            raise


def _show(fresh: Path, target: Path) -> bool:
    """Makes an entry visible; False if there is something in its place."""
    target.parent.mkdir(exist_ok=True)
    try:
        fresh.rename(target)
    except OSError as error:
        if error.errno not in _TAKEN:
            raise
        return False
    return True


def _move(source: Path, target: Path) -> None:
    """Moves a file or folder, if it is there, between file systems too."""
    try:
        source.rename(target)
    except FileNotFoundError:
        return
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        _copy(source, target)
        _remove(source)


def _copy(source: Path, target: Path) -> None:
    # shutil.copytree would lose the numbers of errors, and shutil.copyfile blames the source for a full disk
    if source.is_dir():
        target.mkdir()
        for part in source.iterdir():
            _copy(part, target / part.name)
    else:
        with source.open("rb") as stream, target.open("wb") as copy:
            shutil.copyfileobj(stream, copy, _CHUNK)


def _remove(path: Path) -> None:
    if path.is_dir():
        fsio.remove_tree(path)
    else:
        path.unlink()
