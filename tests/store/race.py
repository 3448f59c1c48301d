"""A child process for tests: uses a store, or collects, until its time is up.

Usage: race.py STORE SECONDS use|collect

Prints how often it found what was there, how often it computed, how often it collected an entry.
"""

from __future__ import annotations

import random
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from recipekit.store import Entry, Lease, Store
from tests.store.small_entries import key_of, put

KEYS = 8


def use(store: Store, work: Path, end: float) -> tuple[int, int]:
    found = computed = 0
    chance = random.Random()
    while time.monotonic() < end:
        with store.lease() as lease:
            mine = []
            for number in chance.choices(range(KEYS), k=4):
                entry, was_there = found_or_put(lease, work, number)
                found += was_there
                computed += not was_there
                mine.append((number, entry))
            for number, entry in mine:
                model = (entry.folder / "artifacts" / "model.tflite").read_bytes()
                assert model == f"model {number}".encode(), "an entry in use is as it was"
                assert (entry.folder / "log.txt").exists()
    return found, computed


def found_or_put(lease: Lease, work: Path, number: int) -> tuple[Entry, bool]:
    entry = lease.find(key_of(number))
    if entry is not None:
        return entry, True
    with lease.hold(key_of(number), lambda message: None):
        entry = lease.find(key_of(number))
        if entry is not None:
            return entry, True
        return put(lease, work, number, f"model {number}".encode()), False


def collect(store: Store, end: float) -> int:
    removed = 0
    while time.monotonic() < end:
        removed += store.collect(older_than=0, max_bytes=None).entries
    return removed


def main() -> None:
    store, end = Store(Path(sys.argv[1])), time.monotonic() + float(sys.argv[2])
    with TemporaryDirectory() as work:
        if sys.argv[3] == "use":
            sys.stdout.write("{} {} 0\n".format(*use(store, Path(work), end)))
        else:
            sys.stdout.write(f"0 0 {collect(store, end)}\n")


if __name__ == "__main__":
    main()
