"""Packs a task as bytes for another machine, where the project may be in another folder.

Wherever in the task a path stands, it is written relative to the project's root if it is in the project, or relative to
the sweep's copy of the recipes if it is in there. This module knows no engine.
"""

from __future__ import annotations

import io
import pickle
from collections.abc import Mapping
from pathlib import Path, PurePath
from typing import Any

from recipekit import fsio
from recipekit.launching.task import Task


def pack(task: Task) -> bytes:
    """Writes a task down.

    What a recipe says of paths is data, which is recorded as it was written; what recipekit made of it is rewritten.
    Where outputs are shared at a URL, the files of its recipe in a sweep's copy come along.
    """
    file = io.BytesIO()
    _Packer(file, task).dump(task)
    return pickle.dumps((_recipes(task), file.getvalue()))


def unpack(parcel: bytes, root: Path, copied: Path | None = None) -> Task:
    """Reads a task of `pack`.

    Args:
        parcel: its bytes, of this very recipekit and Python.
        root: where the project is on this machine. Outputs and the store stay where they are.
        copied: where the files of `recipes_in` are; None for where the sweep's own process has them.
    """
    task: Task = _Unpacker(io.BytesIO(_opened(parcel)[1]), root, copied).load()
    return task


def recipes_in(parcel: bytes) -> Mapping[str, bytes]:
    """The files that came along, by their path in a sweep's copy of the recipes."""
    return _opened(parcel)[0]


def _opened(parcel: bytes) -> tuple[dict[str, bytes], bytes]:
    recipes, task = pickle.loads(parcel)  # noqa: S301  pickled by the driver of this very recipekit
    return recipes, task


def _recipes(task: Task) -> dict[str, bytes]:
    copied = task.job.project.copied
    if copied is None or not task.job.project.shared_outputs:
        return {}
    files = (path for path in {task.job.file, *task.job.files} if path.is_relative_to(copied))
    with fsio.reported(copied):
        return {path.relative_to(copied).as_posix(): path.read_bytes() for path in files}


class _Packer(pickle.Pickler):
    def __init__(self, file: io.BytesIO, task: Task) -> None:
        super().__init__(file, protocol=pickle.HIGHEST_PROTOCOL)
        project = task.job.project
        self._as_it_is = {id(task.job.recipe.resolved)}
        self._shared = [place for place in (project.outputs, project.named_store) if place is not None]
        self._root, self._copied = project.root, project.copied
        self._below = f"{self._root}/"

    def persistent_id(self, obj: Any) -> Any:
        if id(obj) in self._as_it_is:
            return "as it is", pickle.dumps(obj)
        if isinstance(obj, str):
            return self._pid_of_text(obj)
        return self._pid_of_path(obj) if isinstance(obj, PurePath) else None

    def _pid_of_text(self, text: str) -> Any:
        if any(text.startswith(f"{place}/") for place in self._shared):
            return None
        is_within = text == str(self._root) or text.startswith(self._below)
        return ("text", text[len(self._below) :]) if is_within else None

    def _pid_of_path(self, path: PurePath) -> Any:
        if self._copied is not None and path.is_relative_to(self._copied):
            return "copied", (str(self._copied), path.relative_to(self._copied).as_posix())
        if any(map(path.is_relative_to, self._shared)):
            return "as it is", pickle.dumps(path)
        return ("path", path.relative_to(self._root).as_posix()) if path.is_relative_to(self._root) else None


class _Unpacker(pickle.Unpickler):
    def __init__(self, file: io.BytesIO, root: Path, copied: Path | None) -> None:
        super().__init__(file)
        self._root = root
        self._copied = copied

    def persistent_load(self, pid: Any) -> Any:
        kind, value = pid
        if kind == "as it is":
            return pickle.loads(value)  # noqa: S301  pickled by the driver of this very recipekit
        if kind == "copied":
            return (self._copied or Path(value[0])) / value[1]
        path = self._root / value
        return str(path) if kind == "text" else path
