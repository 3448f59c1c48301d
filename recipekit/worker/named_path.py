"""A file or folder that a recipe names, looked for before it is read: a path that leads nowhere is a typing error."""

from __future__ import annotations

from pathlib import Path

from recipekit.errors import DatasetError
from recipekit.nearest import neighbour


def require_file(path: Path, key: str = "path") -> None:
    """Raises DatasetError where there is no such file; `key` is the recipe's that names it."""
    if path.is_dir():
        raise DatasetError("is a folder, not a file", where=str(path), fix=f"let `{key}` name a file")
    if not path.exists():
        raise DatasetError(f"there is no such file{neighbour(path)}", where=str(path), fix=f"correct `{key}`")


def require_folder(path: Path, key: str = "path") -> None:
    """Raises DatasetError where there is no such folder; `key` is the recipe's that names it."""
    if path.exists() and not path.is_dir():
        raise DatasetError("is a file, not a folder", where=str(path), fix=f"let `{key}` name a folder")
    if not path.exists():
        raise DatasetError(f"there is no such folder{neighbour(path)}", where=str(path), fix=f"correct `{key}`")
