"""What a build reads: pinned by digest before the run, looked at again after it.

An input is a file, a folder, or the Python code behind an address. Code is found without being imported, so that
pinning a plugin can't run it. This module doesn't know what an input is for; its role is a word that it passes on.
"""

from __future__ import annotations

import importlib.util
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from recipekit import digests
from recipekit.errors import PluginError, SourceChanged, SourceError
from recipekit.nearest import neighbour

Kind = Literal["file", "folder", "package"]

_SETTLED_NS = 2_000_000_000
"""Coarsest step of a file system's clock: a file written this recently can change again and keep its times."""


@dataclass(frozen=True)
class FileState:
    """A file as it was when it was digested.

    Attributes:
        path: absolute.
        sha256: of its bytes.
        size: bytes.
        signature: size, times of the last changes of content and inode, inode; None where the file was too young for
            its times to tell.
    """

    path: Path
    sha256: str
    size: int
    signature: tuple[int, int, int, int] | None


@dataclass(frozen=True)
class Input:
    """One declared input, pinned.

    Attributes:
        role: what it is to the build, such as `model-source` or `dataset`.
        name: what the manifest calls it.
        path: as the recipe spells it; for code, the file or folder that was found, relative to the project root where
            it lies below that, else empty.
        place: the absolute path.
        kind: a `file` (SHA-256), a `folder` (`dirHash1` of all its files), a `package` (`dirHash1` of its `.py` files).
        digest: lower-case hex.
        states: each file that entered the digest, sorted by path.
    """

    role: str
    name: str
    path: str
    place: Path
    kind: Kind
    digest: str
    states: tuple[FileState, ...]

    @property
    def algorithm(self) -> str:
        """in-toto's name of the digest: `sha256` or `dirHash1`."""
        return "sha256" if self.kind == "file" else "dirHash1"

    @property
    def files(self) -> int:
        """Number of files."""
        return len(self.states)

    @property
    def bytes(self) -> int:
        """Sum of their sizes."""
        return sum(state.size for state in self.states)


States = dict[Path, FileState]
"""States of files by their absolute path."""


def pin(
    role: str, name: str, path: str, root: Path, known: States | None = None, *, place: Path | None = None
) -> Input:
    """Pins a file or folder.

    Args:
        role: what it is to the build.
        name: what the manifest calls it.
        path: absolute, or relative to the project root.
        root: the project root, absolute.
        known: states of files that were pinned before, read again only if their status changed; new ones are added.
        place: where it lies, if that isn't where the path says.

    Raises:
        SourceError: nothing is there, it can't be read, or it is or holds something else than files and folders.
    """
    place = place or root / path
    with _readable(path, place):
        if not place.exists():
            what = f"does not exist{neighbour(place)}"
            raise SourceError(what, where=_spelled(path, place), fix="correct the path in the recipe")
        return _pinned((role, name, path), place, "folder" if place.is_dir() else "file", known)


def pin_code(role: str, address: str, root: Path, known: States | None = None) -> Input:
    """Pins the code behind an address, without importing it.

    A module that belongs to a package is pinned by the whole package, since it may import any part of it.

    Args:
        role: what the code is to the build, `plugin` or `custom-layer`.
        address: `package.module`, `package.module:object`, `path/to/file.py` or `path/to/file.py:object`; a path is
            relative to the project root.
        root: the project root, absolute, where modules are looked for first.
        known: as for `pin`.

    Raises:
        PluginError: there is no such module, or it has no file.
        SourceError: it can't be read.
    """
    module = _module_of(address)
    found = _find_file(module, root) if module.endswith(".py") else _find_module(module, root)
    if found is None:
        raise PluginError(
            f"there is no module '{module}'", where=address, fix="correct the address, or install the package"
        )
    place, kind = found
    path = place.relative_to(root).as_posix() if place.is_relative_to(root) else ""
    with _readable(address, place):
        return _pinned((role, address, path), place, kind, known)


def status_digest(place: Path) -> str | None:
    """Digest of names, sizes, times and inodes of a file or of all files below a folder, without reading them.

    While it stays, so does their content, on this machine; elsewhere it says nothing.

    Returns:
        None where nothing is there, or a file is so young that it could change again and keep its times.
    """
    files = [place] if place.is_file() else sorted(path for path in place.rglob("*") if not path.is_dir())
    now = time.time_ns()
    lines = []
    for path in files:
        try:
            status = path.stat()
        except OSError:
            return None
        if not _settled(status, now):
            return None
        lines.append([str(path.relative_to(place)), *map(str, _signature(status))])
    return digests.of_json(lines) if lines else None


def check_unchanged(pinned: Input) -> None:
    """Looks at an input again; only files whose status changed are read.

    Raises:
        SourceChanged: its digest is no longer the pinned one, or it can't be read any more.
    """
    before = {state.path: state for state in pinned.states}
    try:
        now = {path: _state(path, before.get(path)) for path in _files(pinned.place, pinned.kind)}
    except (OSError, SourceError) as error:
        raise _changed(pinned, f"it can't be read any more: {error}") from error
    after = _digest(pinned.place, pinned.kind, tuple(now.values()))
    if after == pinned.digest:
        return
    names = sorted(
        str(path.relative_to(pinned.place)) if path != pinned.place else path.name
        for path in before.keys() | now.keys()
        if path not in before or path not in now or before[path].sha256 != now[path].sha256
    )
    shown = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
    raise _changed(pinned, f"{pinned.algorithm} {pinned.digest} before, {after} after; changed: {shown}")


def _changed(pinned: Input, difference: str) -> SourceChanged:
    return SourceChanged(
        f"{pinned.role} '{pinned.name}' changed during the run: {difference}",
        where=_spelled(pinned.path or pinned.name, pinned.place),
        fix="run again when nothing writes to it",
    )


def _pinned(names: tuple[str, str, str], place: Path, kind: Kind, known: States | None) -> Input:
    known = {} if known is None else known
    states = tuple(_state(file, known.get(file)) for file in _files(place, kind))
    known.update({state.path: state for state in states})
    return Input(*names, place, kind, _digest(place, kind, states), states)


def _files(place: Path, kind: Kind) -> Iterator[Path]:
    if kind == "file":
        yield place
    elif kind == "folder":
        yield from digests.files_below(place)
    else:
        yield from sorted(path for path in place.rglob("*.py") if path.is_file())


def _state(path: Path, known: FileState | None) -> FileState:
    """A file's state, taken from the known one where its status is the same."""
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise SourceError(
            "is neither a file nor a folder, so its content can't be pinned",
            where=str(path),
            fix="put its content into a regular file",
        )
    signature = _signature(status)
    if known is not None and known.signature == signature:
        return known
    settled = _settled(status, time.time_ns())
    return FileState(path, digests.of_file(path), status.st_size, signature if settled else None)


def _signature(status: os.stat_result) -> tuple[int, int, int, int]:
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino


def _settled(status: os.stat_result, now: int) -> bool:
    return now - max(status.st_mtime_ns, status.st_ctime_ns) > _SETTLED_NS


def _digest(place: Path, kind: Kind, states: tuple[FileState, ...]) -> str:
    if kind == "file":
        return states[0].sha256
    return digests.of_names({state.path.relative_to(place).as_posix(): state.sha256 for state in states})


def _module_of(address: str) -> str:
    """The module or file of an address."""
    module, colon, attribute = address.partition(":")
    named = module.endswith(".py") or all(part.isidentifier() for part in module.split("."))
    if not named or bool(colon) != bool(attribute):
        raise PluginError(f"'{address}' is not an address", fix="write it as 'package.module:name' or 'file.py:name'")
    return module


def _find_file(path: str, root: Path) -> tuple[Path, Kind] | None:
    return (root / path, "file") if (root / path).is_file() else None


def _find_module(module: str, root: Path) -> tuple[Path, Kind] | None:
    """Where a dotted module lies: in the project first, as when it is imported, then anywhere on the import path."""
    top, *rest = module.split(".")
    if (found := _descend(root, [top, *rest])) is not None:
        return found
    try:
        spec = importlib.util.find_spec(top)  # of a top-level name: runs none of its code
    except (ImportError, ValueError) as error:
        raise PluginError(f"'{module}' can't be looked up: {error}", where=module) from error
    if spec is None:
        return None
    if spec.submodule_search_locations is None:
        return _find_file(spec.origin or "", root)
    folders = [Path(location) for location in spec.submodule_search_locations]
    found_below = (_descend(folder.parent, [folder.name, *rest]) for folder in folders)
    return next((found for found in found_below if found is not None), None)


def _descend(folder: Path, parts: list[str]) -> tuple[Path, Kind] | None:
    """Follows a dotted name down to its first regular package or its module, past folders without `__init__.py`."""
    for part in parts:
        if (folder / part / "__init__.py").is_file():
            return folder / part, "package"
        if (folder / f"{part}.py").is_file():
            return folder / f"{part}.py", "file"
        folder /= part
    return None


@contextmanager
def _readable(path: str, place: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise SourceError(
            f"can't be read: {error.strerror or error}", where=_spelled(path, place), fix="make it readable"
        ) from error


def _spelled(path: str, place: Path) -> str:
    """A path as written and, where that says more, as resolved."""
    return path if path == str(place) else f"{path} ({os.path.realpath(place)})"
