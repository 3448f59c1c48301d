"""The entries that many machines share, at a URL.

    entries/<ab>/<key>.json   the bytes of an entry's `entry.json`, written last and where there is none
    files/<ab>/<sha256>       a file of any number of entries, named by what it must be

Only an object of the first kind makes an entry; files without one mean nothing yet. When two machines bring an entry of
the same key, the second one takes over the first one's, so that all machines use the same. A damaged entry counts as
absent, and is replaced by whoever computes it again. recipekit deletes nothing here, so a machine needs no right to
delete; the service's own rules of expiry may delete anything at any time.

A place that can't be used is reported once and then left alone for a while.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath
from threading import Lock
from typing import Any

from recipekit import digests
from recipekit.remote.place import Place
from recipekit.remote.refusal import Refusal
from recipekit.store import entry as entries
from recipekit.store.entry import Stored

_PAUSE_SECONDS = 60
"""How long a place is left alone after it could not be used."""

_WORTH_A_QUESTION = 1 << 20
"""Bytes of a file from which on it is cheaper to ask whether the place has it than to send it again."""

_TRIES = 5
_DIGEST = re.compile(r"[0-9a-f]{64}")


class SharedEntries:
    """Entries at a URL; several threads may use it at once."""

    def __init__(self, url: str) -> None:
        """Asks for nothing yet.

        Args:
            url: as `remote.url.check_url` gives it.
        """
        self._place = Place(url, "store")
        self._guard = Lock()
        self._there: set[str] = set()
        self._damaged: set[str] = set()
        self._reads_again = self._writes_again = 0.0
        self._told: list[str] = []
        self._complained = False

    def messages(self) -> list[str]:
        """What a user should know and hasn't been told yet; asking takes it away."""
        if not self._told:
            return []
        with self._guard:
            told, self._told = self._told, []
        return told

    def bring(self, key: str, folder: Path) -> bytes | None:
        """Writes the files of an entry into an empty folder.

        Returns:
            The bytes of its `entry.json`, which isn't written; None if there is no such entry, or none that is whole.

        Raises:
            OSError: the folder can't be written.
            EnvironmentFault: the service's library is missing.
        """
        if time.monotonic() < self._reads_again:
            return None
        try:
            found = self._place.read(_name(key))
            stored = None if found is None else _decoded(key, found.data)
            if found is None:
                return None
            if stored is None or not self._bring_files(stored, folder):
                self._tell(
                    f"the shared store's entry {key[:12]} is damaged, so the stage runs here ({self._place.url})"
                )
                return None
        except Refusal as refusal:
            self._leave_alone(refusal)
            return None
        return found.data

    def offer(self, key: str, folder: Path, data: bytes, elsewhere: Callable[[], Path]) -> tuple[Path, bytes]:
        """Makes an entry the one that every machine finds, unless there is one.

        Args:
            key: of the entry.
            folder: holds its files.
            data: the bytes of its `entry.json`.
            elsewhere: gives an empty folder for the files of the one that is there.

        Returns:
            The folder and the bytes of the entry that counts from now on: its own, or those of the one that was there.
            Its own, too, where the place can't be used.

        Raises:
            OSError: a file can't be read, or a folder not be written.
            EnvironmentFault: the service's library is missing.
        """
        if time.monotonic() < max(self._reads_again, self._writes_again):
            return folder, data
        try:
            return self._offered(key, folder, data, elsewhere)
        except Refusal as refusal:
            self._leave_alone(refusal, writing=True)
            return folder, data

    def _offered(self, key: str, folder: Path, data: bytes, elsewhere: Callable[[], Path]) -> tuple[Path, bytes]:
        ours = entries.decode(key, data)
        files = {} if ours is None else ours.files
        self._upload(files, folder)
        for _ in range(_TRIES):
            if self._place.create(_name(key), data):
                return folder, data
            found = self._place.read(_name(key))
            if found is None:
                continue  # it has just expired
            theirs = _decoded(key, found.data)
            if theirs is not None and theirs.files == files:
                return folder, found.data
            if theirs is not None:
                other = elsewhere()
                if self._bring_files(theirs, other):
                    return other, found.data
            if self._place.replace(_name(key), data, found):  # what was there isn't whole
                return folder, data
        raise Refusal(self._place.url, f"the entry {key[:12]} changes all the time", "look at who writes there")

    def _upload(self, files: Mapping[str, Mapping[str, Any]], folder: Path) -> None:
        wanted = {str(described["sha256"]): (folder / name, described["size"]) for name, described in files.items()}
        missing = {digest: path for digest, (path, size) in wanted.items() if not self._has(digest, size)}
        self._place.upload({_file(digest): path for digest, path in missing.items()})
        self._there.update(missing)
        self._damaged.difference_update(missing)

    def _has(self, digest: str, size: int) -> bool:
        if digest in self._damaged:
            return False
        if digest in self._there:
            return True
        return size >= _WORTH_A_QUESTION and self._place.size(_file(digest)) == size

    def _bring_files(self, stored: Stored, folder: Path) -> bool:
        """Whether all files of an entry have come, as they must be."""
        (folder / entries.PARTS[0]).mkdir(exist_ok=True)  # a stage that leaves nothing leaves its folder
        for name in stored.files:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
        first = {str(described["sha256"]): folder / name for name, described in stored.files.items()}
        self._place.download({_file(digest): path for digest, path in first.items()})
        for name, described in stored.files.items():
            digest, path = str(described["sha256"]), folder / name
            if path != first[digest] and first[digest].is_file():
                path.write_bytes(first[digest].read_bytes())
        wrong = {digest for digest, path in first.items() if not path.is_file() or digests.of_file(path) != digest}
        self._damaged |= wrong
        self._there.update(first.keys() - wrong)
        self._there -= wrong
        return not wrong

    def _leave_alone(self, refusal: Refusal, *, writing: bool = False) -> None:
        until = time.monotonic() + _PAUSE_SECONDS
        if writing and refusal.forbidden:
            self._writes_again = until
            what = "the shared store can't be written, so what runs here stays here"
        else:
            self._reads_again = until
            what = "the shared store can't be used, so this run goes on with the local one"
        with self._guard:
            if not self._complained:
                self._complained = True
                self._told.append(f"{what}: {refusal.url}: {refusal.reason}; {refusal.fix}")

    def _tell(self, text: str) -> None:
        with self._guard:
            self._told.append(text)


def _name(key: str) -> str:
    return f"entries/{key[:2]}/{key}.json"


def _file(digest: str) -> str:
    return f"files/{digest[:2]}/{digest}"


def _decoded(key: str, data: bytes) -> Stored | None:
    """What an entry from elsewhere says; None if it isn't one, or would write outside of its own folder."""
    try:
        stored = entries.decode(key, data)
    except (ValueError, KeyError, TypeError):
        return None
    if stored is None or not isinstance(stored.files, dict) or not all(map(_is_sound, stored.files.items())):
        return None
    return stored


def _is_sound(item: tuple[str, Any]) -> bool:
    name, described = item
    parts = PurePosixPath(name).parts
    return (
        bool(parts)
        and parts[0] in entries.PARTS
        and ".." not in parts
        and "\\" not in name
        and isinstance(described, dict)
        and isinstance(described.get("size"), int)
        and _DIGEST.fullmatch(str(described.get("sha256"))) is not None
    )
