"""Compares the files in an output's folder with those that its manifest records."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from recipekit import digests
from recipekit import manifest as manifests
from recipekit.contracts import Record
from recipekit.escaping import escaped

_FILE = "a file"
_KINDS = {
    stat.S_IFREG: _FILE,
    stat.S_IFLNK: "a symbolic link",
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFBLK: "a device",
    stat.S_IFCHR: "a device",
}


class Difference(Record, frozen=True, kw_only=True):
    """One thing about an output that isn't as it should be.

    Attributes:
        place: relative path of the file, as it is named on the disk; where only a part of the file differs, a space and
            the name of that part follow.
        problem: in words; empty where `expected` and `got` say it.
        expected: what should be there; empty where `problem` says all.
        got: what is there.
    """

    place: str
    problem: str = ""
    expected: str = ""
    got: str = ""

    def __str__(self) -> str:
        facts = f"expected {self.expected}, got {self.got}" if self.expected else ""
        return escaped(f"{self.place}: {', '.join(filter(None, (self.problem, facts)))}")


def differences(folder: Path, manifest: dict[str, Any]) -> list[str]:
    """What `file_differences` finds, a line each."""
    return list(map(str, file_differences(folder, manifest)))


def file_differences(folder: Path, manifest: dict[str, Any]) -> list[Difference]:
    """Everything in which a folder differs from its manifest; nothing for a whole output.

    Files of signatures may be there or not; the room `signing` checks what they sign.

    Args:
        folder: of the output.
        manifest: a valid one.

    Raises:
        OSError: a file or folder can't be read.
    """
    recorded = manifests.recorded_files(manifest)
    sizes = {manifests.FILE: _FILE, **{name: f"a file of {size} bytes" for name, (_, size) in recorded.items()}}
    found = dict(_entries(folder))
    lines = [
        Difference(place=name, problem="is missing", expected=sizes[name], got="nothing")
        for name in sorted(sizes.keys() - found.keys())
    ]
    allowed = {name for name in manifests.SIGNATURES if found.get(name) == _FILE}
    lines += [
        Difference(place=name, problem="is not in the manifest", expected="nothing", got=found[name])
        for name in sorted(found.keys() - sizes.keys() - allowed)
    ]
    for name in sorted(found.keys() & sizes.keys()):
        if found[name] != _FILE:
            problem = "is not a regular file"
            lines.append(Difference(place=name, problem=problem, expected=sizes[name], got=found[name]))
        elif name in recorded:
            lines += _content_differences(folder / name, name, *recorded[name])
    return lines


def _content_differences(path: Path, name: str, sha256: str, size: int) -> Iterator[Difference]:
    actual_size = path.stat().st_size
    if actual_size != size:
        yield Difference(place=name, expected=f"{size} bytes", got=f"{actual_size} bytes")
    elif (actual := digests.of_file(path)) != sha256:
        yield Difference(place=name, expected=f"sha256 {sha256}", got=actual)


def _entries(folder: Path) -> Iterator[tuple[str, str]]:
    """Relative path and kind of everything below a folder; of folders only the empty ones."""
    pending = [folder]
    while pending:
        parent = pending.pop()
        with os.scandir(parent) as scan:
            entries = list(scan)
        if not entries and parent != folder:
            yield parent.relative_to(folder).as_posix(), "an empty folder"
        for entry in entries:
            path = Path(entry.path)
            if entry.is_dir(follow_symlinks=False):
                pending.append(path)
            else:
                kind = stat.S_IFMT(entry.stat(follow_symlinks=False).st_mode)
                yield path.relative_to(folder).as_posix(), _KINDS.get(kind, "something else")
