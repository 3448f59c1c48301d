"""A sweep's own copy of the recipes, so that whoever edits one meanwhile changes nothing for children to come.

Only recipes and option files are copied, with their folders. A file that seems to hold a secret isn't written a second
time, nor is one that is too large or unreadable: the copy has a link to it instead. The recorded digest of each
file that could be read shows whether it has stayed the same.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from recipekit import digests, fsio
from recipekit.project import Project
from recipekit.secrecy import redacted

COPIED = "copied"
"""The copy's folder in a sweep's."""

_GREATEST = 4 << 20
"""Bytes of the largest file that is copied; a recipe has at most a million characters."""


def copy_recipes(project: Project, sweep: Path) -> tuple[Project, Mapping[str, str]]:
    """Copies a project's recipes folders into the folder of a sweep.

    Args:
        project: where the recipes are.
        sweep: the folder.

    Returns:
        The project as it reads them from there, and the SHA-256 of each file by its path in the copy.

    Raises:
        OutputFault: the file system refused.
    """
    copying, found = project.reading(sweep / COPIED), dict[str, str]()
    for source, target in zip(project.recipe_folders, copying.recipe_folders, strict=True):
        with fsio.reported(target):
            target.mkdir(parents=True)
            for file in _files(source, {project.outputs.resolve()}):
                copy = target / file.relative_to(source)
                content = _copy(file, copy)
                if content is not None:
                    found[copy.relative_to(sweep / COPIED).as_posix()] = digests.of_bytes(content)
    return copying, found


def digests_of_copies(project: Project) -> dict[str, str]:
    """SHA-256 of each file of a copy, by its path there; files that can't be read are left out.

    Args:
        project: as `copy_recipes` gives it.
    """
    assert project.copied is not None, "the project reads its recipes from where they stand"
    found: dict[str, str] = {}
    for folder in project.recipe_folders:
        for file in _files(folder, set()):
            content = _content(file)
            if content is not None:
                found[file.relative_to(project.copied).as_posix()] = digests.of_bytes(content)
    return found


def _files(folder: Path, without: set[Path]) -> Iterator[Path]:
    """The YAML files below a folder, and the folders directly below it, which are groups even where they are empty.

    Links to folders are followed, unless they lead back.

    Args:
        folder: where to look.
        without: folders that are left out, links resolved.
    """
    yield from (path for path in folder.iterdir() if path.is_dir() and path.resolve() not in without)
    pending = [(folder, without | {folder.resolve()})]
    while pending:
        place, above = pending.pop()
        for entry in os.scandir(place):
            path = Path(entry.path)
            if entry.is_dir():
                real = path.resolve()
                pending += [] if real in above else [(path, above | {real})]
            elif entry.name.endswith(".yaml"):
                yield path


def _copy(source: Path, target: Path) -> bytes | None:
    """Copies a file, links to it, or makes a folder; the file's bytes where it can be read."""
    content = _content(source)
    if content is None and source.is_dir():
        target.mkdir(parents=True, exist_ok=True)
        return None
    if not target.parent.exists():
        target.parent.mkdir(parents=True)
    if content is None or _holds_secret(content):
        target.symlink_to(os.path.relpath(source.absolute(), target.parent.resolve()))
    else:
        target.write_bytes(content)
    return content


def _content(file: Path) -> bytes | None:
    """A file's bytes; None of what can't be read, is no file, or is too large for a recipe."""
    try:
        return file.read_bytes() if file.is_file() and file.stat().st_size <= _GREATEST else None
    except OSError:
        return None


def _holds_secret(content: bytes) -> bool:
    text = content.decode("utf-8", errors="replace")
    return redacted(text) != text
