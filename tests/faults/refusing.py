"""A layer between Python and the disk that refuses the n-th call by which something is written.

It stands where every write passes, whichever library makes it: `open` and what it gives, and the functions of `os`.
"""

from __future__ import annotations

import builtins
import errno
import io
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

ERRORS = {
    "open": (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EMFILE, errno.EACCES, errno.EROFS),
    "write": (errno.ENOSPC, errno.EDQUOT, errno.EIO),
    "fsync": (errno.ENOSPC, errno.EDQUOT, errno.EIO),
    "close": (errno.ENOSPC, errno.EDQUOT, errno.EIO),
    "rename": (errno.EXDEV, errno.EACCES, errno.EROFS, errno.EIO, errno.ENOSPC),
    "mkdir": (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EROFS, errno.EIO),
    "link": (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EROFS, errno.EIO),
}
"""What a call of each kind can be refused with."""


class Refuser:
    """Counts the calls that write below a folder, and refuses one of them.

    Attributes:
        calls: how many there were.
        refused: kind and path of the one that was refused; empty if none was.
        code: the number of the error that it was refused with.
    """

    def __init__(self, root: Path, number: int, choice: int, *, lasting: bool = False) -> None:
        """Plans a refusal.

        Args:
            root: only what is written below it counts; calls that name no path count, too.
            number: of the call, from 1.
            choice: which of the errors of the call's kind.
            lasting: whether every later call of the same kind is refused, too.
        """
        self._root = str(root)
        self._number = number
        self._choice = choice
        self._lasting = lasting
        self._kind = ""
        self.calls = 0
        self.refused = ""
        self.code = 0

    def call(self, kind: str, path: object = None) -> None:
        """One call; raises OSError if it is the one."""
        if path is not None and not os.fspath(path).startswith(self._root):  # type: ignore[call-overload]
            return
        self.calls += 1
        if self.calls == self._number:
            self._kind = kind
            self.refused = f"{kind} {path or ''}"
            self.code = ERRORS[kind][self._choice % len(ERRORS[kind])]
        elif not (self._lasting and kind == self._kind):
            return
        raise OSError(self.code, os.strerror(self.code), path)


class _File(io.FileIO):
    """A file whose writes and whose closing may be refused."""

    def __init__(self, path: Any, mode: str, refuser: Refuser) -> None:
        super().__init__(path, mode)
        self._refuser = refuser

    def write(self, data: Any) -> int:
        self._refuser.call("write", self.name)
        return super().write(data)

    def close(self) -> None:
        if self.closed:
            return
        super().close()
        self._refuser.call("close", self.name)


@contextmanager
def refusing(refuser: Refuser) -> Iterator[None]:
    """Puts the layer in place."""
    with pytest.MonkeyPatch.context() as patch:
        put_in_place(refuser, patch)
        yield


def put_in_place(refuser: Refuser, patch: pytest.MonkeyPatch) -> None:
    """Puts the layer in place until the patches are undone."""
    real_open, real_os_open = io.open, os.open

    def open_file(path: Any, mode: str = "r", *arguments: Any, **options: Any) -> Any:
        if not isinstance(path, str | os.PathLike) or not set(mode) & set("wxa") or "+" in mode:
            return real_open(path, mode, *arguments, **options)
        if not os.fspath(path).startswith(refuser._root):
            return real_open(path, mode, *arguments, **options)
        refuser.call("open", path)
        buffer = io.BufferedWriter(_File(path, mode.replace("b", "").replace("t", ""), refuser))
        return buffer if "b" in mode else io.TextIOWrapper(buffer, encoding="utf-8")

    def open_descriptor(path: Any, flags: int, *arguments: Any, **options: Any) -> int:
        if flags & os.O_CREAT:
            refuser.call("open", path)
        return real_os_open(path, flags, *arguments, **options)

    patch.setattr(builtins, "open", open_file)
    patch.setattr(io, "open", open_file)
    patch.setattr(os, "open", open_descriptor)
    for name, kind in (("rename", "rename"), ("replace", "rename"), ("mkdir", "mkdir"), ("symlink", "link")):
        patch.setattr(os, name, _counted(getattr(os, name), refuser, kind, which=1 if kind == "link" else 0))
    patch.setattr(os, "link", _counted(os.link, refuser, "link", which=1))
    patch.setattr(os, "fsync", lambda descriptor: refuser.call("fsync"))  # it waits for the disk only in earnest
    for name in ("sendfile", "pwrite"):
        patch.setattr(os, name, _counted(getattr(os, name), refuser, "write", which=None))


def _counted(function: Callable[..., Any], refuser: Refuser, kind: str, which: int | None) -> Callable[..., Any]:
    def call(*arguments: Any, **options: Any) -> Any:
        refuser.call(kind, None if which is None else arguments[which])
        return function(*arguments, **options)

    return call
