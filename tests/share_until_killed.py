"""A child process for tests: shares an output again and again, killed before its first, second, third ... object.

Usage: python -m tests.share_until_killed FOLDER URL [N]

FOLDER/<n> is a machine that shares at URL/<n>: one output as a whole, and then one whose n-th object it doesn't live to
write. The last machine isn't killed; with N there is only that one.
"""

from __future__ import annotations

import itertools
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from recipekit.remote.folder import Folder
from recipekit.remote.s3 import S3
from tests.test_shared_outputs import Machine

_WRITES = ("upload", "create", "replace")


def kill_before_write(number: int, service: type[Folder | S3]) -> None:
    """Ends this process before it writes its n-th object from now on, in whichever thread; the others are writing."""
    numbers = itertools.count(1)

    def ending(write: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*arguments: Any) -> Any:
            if next(numbers) == number:
                os.kill(os.getpid(), signal.SIGKILL)
            return write(*arguments)

        return counted

    for name in _WRITES:
        setattr(service, name, ending(getattr(service, name)))


def share(home: Path, url: str, number: int) -> None:
    machine = Machine(home, str(number), f"{url}/{number}")
    scheme, _, place, *_ = urlsplit(f"{url}/{number}")
    if scheme == "file":
        Path(place).mkdir()
    first, second = machine.build(0), machine.build(1)
    machine.share(first)
    kill_before_write(number, Folder if scheme == "file" else S3)
    machine.share(second)


def main() -> None:
    home, url, *only = sys.argv[1:]
    for number in map(int, only) if only else itertools.count(1):
        child = os.fork()
        if child == 0:
            share(Path(home), url, number)
            os._exit(0)
        status = os.waitpid(child, 0)[1]
        if status == 0:
            break
        if status != signal.SIGKILL:
            sys.exit(f"machine {number} ended with status {status}")


if __name__ == "__main__":
    main()
