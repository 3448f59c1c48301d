"""A child process for tests: changes a store again and again, killed before its first, second, third ... change.

Usage: put_until_killed.py FOLDER put|heal|collect

FOLDER/start is a store. FOLDER/<n> becomes what the n-th run left of a copy of it; the last isn't killed.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
from pathlib import Path

from recipekit.store import Store
from tests.publish_until_killed import kill_before_change
from tests.store.small_entries import NEW, key_of, put


def change(root: Path, work: Path, what: str) -> None:
    if what == "collect":
        Store(root).collect(older_than=0, max_bytes=None)
        return
    with Store(root).lease() as lease, lease.hold(key_of(NEW), print):
        if lease.find(key_of(NEW)) is None:
            put(lease, work, NEW, b"new")


def main() -> None:
    base, what = Path(sys.argv[1]), sys.argv[2]
    status = -1
    number = 0
    while status != 0:
        number += 1
        root, work = base / str(number), base / "work" / str(number)
        shutil.copytree(base / "start", root)
        child = os.fork()
        if child == 0:
            os.fsync = lambda fd: None  # what was written outlives a process anyway
            kill_before_change(number, root)
            change(root, work, what)
            os._exit(0)
        status = os.waitpid(child, 0)[1]
        if status not in (0, signal.SIGKILL):
            sys.exit(f"run {number} ended with status {status}")


if __name__ == "__main__":
    main()
