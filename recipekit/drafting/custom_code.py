"""Where a project defines the classes that a model file names: source is searched for their names, never run."""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

_DEFINITION = r"^(?:class|def) %s\b"
_MOST_FILES = 2000
_MOST_FOLDERS = 5000
_LONGEST = 2**20
_SKIPPED = {"node_modules", "site-packages", "__pycache__", "outputs", "build", "dist", "tests"}


def modules_of(names: Sequence[str], root: Path) -> dict[str, str]:
    """Files that define classes or functions, relative to the project root, by the name that the model gives those.

    Args:
        names: as `custom_layers.objects` spells them, such as `shop>Step`.
        root: the project root.
    """
    found: dict[str, str] = {}
    wanted = {name: re.compile(_DEFINITION % re.escape(name.rpartition(">")[2]), re.MULTILINE) for name in names}
    for path in itertools.islice(_sources(root), _MOST_FILES) if wanted else ():
        text = _text(path)
        for name, definition in wanted.items():
            if name not in found and definition.search(text):
                found[name] = path.relative_to(root).as_posix()
    return found


def _sources(root: Path) -> Iterator[Path]:
    for folder, folders, names in itertools.islice(os.walk(root), _MOST_FOLDERS):
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name not in _SKIPPED)
        yield from (Path(folder) / name for name in sorted(names) if name.endswith(".py"))


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8") if path.stat().st_size <= _LONGEST else ""
    except (OSError, UnicodeDecodeError):
        return ""
