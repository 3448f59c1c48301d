"""Files below a folder: which there are, and their labels, by first-level folders or from a table.

It knows nothing of what the files hold.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from recipekit.errors import DatasetError
from recipekit.nearest import did_you_mean
from recipekit.worker.label_file import TABLES, LabelFile
from recipekit.worker.named_path import require_file


def file_names(folder: Path, extensions: Sequence[str]) -> list[str]:
    """Paths relative to a folder, with `/`, sorted; hidden files and folders are left out.

    Args:
        folder: where to look, at any depth.
        extensions: file name endings, in any case, with or without the dot.
    """
    endings = tuple("." + extension.lower().removeprefix(".") for extension in extensions)
    return sorted(_walk(folder, endings))


def label_lookup(folder: Path, names: Sequence[str], file: Path | None) -> Callable[[str], Any]:
    """The function from a file's name to its label, None where it has none.

    Args:
        folder: the dataset's folder.
        names: its files, from `file_names`.
        file: a table for `LabelFile` (`.csv` or `.json`), or a text file with the class folders' names, one a line, in
            label order; None sorts the class folders, so that one without files still counts.

    Raises:
        DatasetError: labelled and unlabelled files are mixed, the folders don't fit the list, or the table is
            unreadable. The function raises it for a file that the table lacks.
    """
    if file is not None and file.suffix.lower() in TABLES:
        return LabelFile(file).__getitem__
    classes = _class_labels(folder, names, file)
    return lambda name: classes.get(name.partition("/")[0])


def _class_labels(folder: Path, names: Sequence[str], file: Path | None) -> dict[str, int]:
    """The label of each class folder; empty where the files have none."""
    loose = [name for name in names if "/" not in name]
    if loose and (len(loose) < len(names) or file is not None):
        raise DatasetError(
            f"'{loose[0]}' lies beside the class folders, so it has no label",
            where=str(folder),
            fix="move every file into a class folder, or all of them out",
        )
    if loose or not names:
        return {}
    if file is None:
        folders = (entry.name for entry in folder.iterdir() if entry.is_dir())
        return {name: label for label, name in enumerate(sorted(n for n in folders if not n.startswith(".")))}
    order = _read_class_names(file)
    for name in sorted({name.partition("/")[0] for name in names}):
        if name not in order:
            raise DatasetError(
                f"the class folder '{name}' is not listed{did_you_mean(name, order)}",
                where=str(file),
                fix="add a line with its name, or rename the folder",
            )
    return order


def _walk(folder: Path, endings: tuple[str, ...]) -> Iterator[str]:
    for parent, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in files:
            if name.lower().endswith(endings) and not name.startswith("."):
                yield Path(parent, name).relative_to(folder).as_posix()


def _read_class_names(file: Path) -> dict[str, int]:
    require_file(file, "labels")
    try:
        lines = [line.strip() for line in file.read_text("utf-8-sig").splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetError(
            f"can't be read: {error}", where=str(file), fix="give `labels` a text file in UTF-8"
        ) from error
    names = [line for line in lines if line]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise DatasetError(f"lists the class '{twice}' twice", where=str(file), fix="list each class once")
    return {name: label for label, name in enumerate(names)}
