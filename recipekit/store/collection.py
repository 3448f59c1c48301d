"""Garbage collection: removes entries that are old or exceed a size, but none that a living lease claims."""

from __future__ import annotations

import time
from contextlib import ExitStack
from typing import NamedTuple

from recipekit import locks
from recipekit.store.claims import Claims, living, sweep
from recipekit.store.layout import Layout
from recipekit.store.survey import Seen, last_use, see


class Collected(NamedTuple):
    """What a collection has done.

    Attributes:
        entries: how many entries it has removed.
        bytes: size of their files.
        kept_in_use: how many it would have removed if they weren't in use.
    """

    entries: int
    bytes: int
    kept_in_use: int


def collect(
    layout: Layout, claims: Claims, older_than: float | None, max_bytes: int | None, *, dry_run: bool
) -> Collected:
    """Removes entries, those first that have been unused the longest; one collection at a time.

    Args:
        layout: the store; its root exists.
        claims: the collector's own; entries are moved into its area before they are deleted.
        older_than: removes what was last used at least so many seconds ago; None for no such limit.
        max_bytes: then removes until the rest is no larger; None for no such limit.
        dry_run: only counts.

    Raises:
        OSError: the store can't be read or written.
        OutputFault: its file system can't lock.
    """
    removed = freed = kept = 0
    with ExitStack() as stack:
        if not dry_run:
            stack.enter_context(locks.exclusive(layout.collector))
            sweep(layout)
        seen = sorted(see(layout), key=lambda one: one.last_use)
        left = sum(one.bytes for one in seen)
        now = time.time()
        for one in seen:
            expired = older_than is not None and now - one.last_use >= older_than
            if not expired and (max_bytes is None or left <= max_bytes):
                continue
            if _claimed(layout, one) if dry_run else not _remove(layout, claims, one):
                kept += 1
                continue
            removed += 1
            freed += one.bytes
            left -= one.bytes
    return Collected(removed, freed, kept)


def _claimed(layout: Layout, one: Seen) -> bool:
    return one.folder.name.encode() in living(layout)


def _remove(layout: Layout, claims: Claims, one: Seen) -> bool:
    """Removes an entry, unless it is claimed or was used since it was seen."""
    with claims.out_of_sight() as place, locks.exclusive(layout.gate(one.folder.name)):
        try:
            if _claimed(layout, one) or last_use(one.folder) != one.last_use:
                return False
            one.folder.rename(place)
        except FileNotFoundError:
            pass  # it was damaged, and its finder has removed it
    return True
