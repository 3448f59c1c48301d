"""A child process for tests: one of several machines, each with a store of its own, that bring entries at once.

Usage: shared_race.py STORE URL KEYS MODEL

Waits for a line, then computes each key as MODEL unless it is found, and prints for each what it holds in the end.
"""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from recipekit.store import Store
from tests.store.small_entries import put


def main() -> None:
    store = Store(Path(sys.argv[1]), sys.argv[2])
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    with TemporaryDirectory() as work, store.lease() as lease:
        for number in range(int(sys.argv[3])):
            entry = put(lease, Path(work), number, sys.argv[4].encode())
            model = (entry.folder / "artifacts" / "model.tflite").read_text()
            sys.stdout.write(f"{model} {entry.files['artifacts/model.tflite']['sha256']}\n")
        sys.stdout.write("".join(f"{text}\n" for text in lease.messages()))


if __name__ == "__main__":
    main()
