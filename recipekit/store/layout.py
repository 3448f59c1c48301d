"""Where things lie in a store.

    <ab>/<key>/       an entry: entry.json, artifacts/, log.txt; <ab> are the first two characters of its key
    .leases/<id>      the keys that a lease claims, locked as long as the lease lives
    .areas/<id>/      what that lease is about to show, or has taken out of sight
    .gates/<ab>       claiming a key of <ab> and removing one exclude each other by it
    .computing/<key>  locked by whoever computes the entry; names him
    .collector        locked by whoever collects garbage

What must move by a rename lies below one root, on one file system.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

_KEY = re.compile(r"[0-9a-f]{64}")


class Layout:
    """The paths of a store; a key is a SHA-256 in lower-case hex."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.leases = root / ".leases"
        self.areas = root / ".areas"
        self.gates = root / ".gates"
        self.computing = root / ".computing"
        self.collector = root / ".collector"

    def entry(self, key: str) -> Path:
        """The folder of an entry."""
        return self.root.joinpath(key[:2], key)

    def gate(self, key: str) -> Path:
        """The lock file between claiming and removing an entry; it is shared with the keys that begin alike."""
        return self.gates / key[:2]

    def lock(self, key: str) -> Path:
        """The lock file of whoever computes an entry."""
        return self.computing / key

    def entries(self) -> Iterator[Path]:
        """The folders of all entries, whole or not; what isn't named like one is none of the store's business."""
        for path in self.root.glob("[0-9a-f][0-9a-f]/*"):
            if _KEY.fullmatch(path.name) and path == self.entry(path.name):
                yield path
