"""What an output's folder holds against what its manifest says."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

from recipekit import digests
from recipekit import manifest as manifests


def differences(folder: Path, manifest: dict[str, Any]) -> list[str]:
    """Everything that keeps a folder from being what its manifest says, a line each; none for a whole output.

    Args:
        folder: of the output.
        manifest: a valid one.

    Raises:
        OSError: a file or folder can't be read.
    """
    recorded = manifests.recorded_files(manifest)
    found = set(_names(folder))
    lines = [f"{name}: is missing" for name in sorted({manifests.FILE, *recorded} - found)]
    lines += [f"{name}: is not in the manifest" for name in sorted(found - {manifests.FILE, *recorded})]
    for name in sorted(found & {manifests.FILE, *recorded}):
        path = folder / name
        if path.is_symlink() or not path.is_file():
            lines.append(f"{name}: is not a regular file")
        elif name in recorded:
            lines += _content_differences(path, name, *recorded[name])
    return lines


def _content_differences(path: Path, name: str, sha256: str, size: int) -> Iterator[str]:
    actual_size = path.stat().st_size
    if actual_size != size:
        yield f"{name}: expected {size} bytes, got {actual_size}"
    elif (actual := digests.of_file(path)) != sha256:
        yield f"{name}: expected sha256 {sha256}, got {actual}"


def _names(folder: Path) -> Iterator[str]:
    """Relative path of everything below a folder that isn't a folder itself, links to folders included."""
    for parent, folders, names in os.walk(folder, onerror=_raise):
        links = [name for name in folders if Path(parent, name).is_symlink()]
        for name in (*names, *links):
            yield Path(parent, name).relative_to(folder).as_posix()


def _raise(error: OSError) -> NoReturn:
    raise error
