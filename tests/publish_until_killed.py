"""A child process for tests: publishes again and again, killed before its first, second, third ... change on the disk.

Usage: publish_until_killed.py FOLDER SEED VERDICT replace|fresh

FOLDER/start is an outputs folder. FOLDER/<n> becomes what the n-th run left of a copy of it; the last isn't killed.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
from pathlib import Path
from typing import Any

from recipekit.outputs import Outputs
from tests.small_builds import key_of_seed, write_output

_CHANGES = {"os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.symlink", "os.link", "os.truncate", "shutil.rmtree"}


def kill_before_change(number: int, root: Path) -> None:
    """Ends this process before its n-th change below a folder; the hook can't be taken out again."""
    left = number

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal left
        writes = event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR)
        if not writes and event not in _CHANGES:
            return
        # names without a folder come from rmtree, which works inside of an open one
        absolute = [str(part) for part in arguments[:2] if isinstance(part, str | Path) and str(part).startswith("/")]
        if absolute and not any(part.startswith(str(root)) for part in absolute):
            return
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)


def publish(root: Path, seed: int, verdict: str, *, replace: bool) -> None:
    outputs = Outputs(root)
    with outputs.hold(key_of_seed(seed), print), outputs.stage() as staged:
        write_output(staged, seed, b"new", verdict)
        outputs.publish(staged, "digits", "1.0.0", key_of_seed(seed), replace=replace)


def main() -> None:
    base, seed, verdict = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    status = -1
    number = 0
    while status != 0:
        number += 1
        root = base / str(number)
        shutil.copytree(base / "start", root, symlinks=True)
        child = os.fork()
        if child == 0:
            os.fsync = lambda fd: None  # what was written outlives a process anyway, though not a power cut
            kill_before_change(number, root)
            publish(root, seed, verdict, replace=sys.argv[4] == "replace")
            os._exit(0)
        status = os.waitpid(child, 0)[1]
        if status not in (0, signal.SIGKILL):
            sys.exit(f"run {number} ended with status {status}")


if __name__ == "__main__":
    main()
