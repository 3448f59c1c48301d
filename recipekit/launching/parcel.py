"""A task as bytes that another machine opens, where the project may lie in another folder.

Paths in the project are written as seen from its root, wherever in the task they stand. It knows no engine.
"""

from __future__ import annotations

import io
import pickle
from pathlib import Path, PurePath
from typing import Any

from recipekit.launching.task import Task


def pack(task: Task) -> bytes:
    """Writes a task down.

    What a recipe says of paths is data, which is recorded as it was written; what recipekit made of it is rewritten.
    """
    file = io.BytesIO()
    _Packer(file, task).dump(task)
    return file.getvalue()


def unpack(parcel: bytes, root: Path) -> Task:
    """Reads a task of `pack`.

    Args:
        parcel: its bytes, of this very recipekit and Python.
        root: where the project is on this machine. Outputs, with a sweep's copy of the recipes, and the store stay
            where they are, since all machines share them.
    """
    task: Task = _Unpacker(io.BytesIO(parcel), root).load()
    return task


class _Packer(pickle.Pickler):
    def __init__(self, file: io.BytesIO, task: Task) -> None:
        super().__init__(file, protocol=pickle.HIGHEST_PROTOCOL)
        project = task.job.project
        self._as_it_is = {id(task.job.recipe.resolved)}
        self._shared = [place for place in (project.outputs, project.named_store) if place is not None]
        self._root = project.root
        self._below = f"{self._root}/"

    def persistent_id(self, obj: Any) -> Any:
        if id(obj) in self._as_it_is:
            return "as it is", pickle.dumps(obj)
        if isinstance(obj, str) and any(obj.startswith(f"{place}/") for place in self._shared):
            return None
        if isinstance(obj, str) and (obj == str(self._root) or obj.startswith(self._below)):
            return "text", obj[len(self._below) :]
        if isinstance(obj, PurePath) and any(map(obj.is_relative_to, self._shared)):
            return "as it is", pickle.dumps(obj)
        if isinstance(obj, PurePath) and obj.is_relative_to(self._root):
            return "path", obj.relative_to(self._root).as_posix()
        return None


class _Unpacker(pickle.Unpickler):
    def __init__(self, file: io.BytesIO, root: Path) -> None:
        super().__init__(file)
        self._root = root

    def persistent_load(self, pid: Any) -> Any:
        kind, value = pid
        if kind == "as it is":
            return pickle.loads(value)  # noqa: S301  pickled by the driver of this very recipekit
        path = self._root / value
        return str(path) if kind == "text" else path
