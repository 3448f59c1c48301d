"""NumPy files below a folder, one a sample."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from recipekit.contracts import DatasetContext, Sample
from recipekit.errors import DatasetError
from recipekit.nearest import did_you_mean
from recipekit.worker.class_folders import file_names, label_lookup
from recipekit.worker.named_path import require_folder

_EXTENSIONS = ("npy", "npz")


class NumpyFolderDataset:
    """`.npy` files (one array, for a model with one input) and `.npz` files (arrays by input name), a file a sample.

    They come in the order of their paths; the id is the path relative to the folder. Hidden files and folders are left
    out. Labels are, in this order: the array `label_key` of each `.npz` file, the entries of a table, the place of the
    first-level folder among all of them. Pickled objects are never loaded.

    Args:
        context: where relative paths start.
        path: the folder.
        labels: a `.csv` table (header line, columns file and label), a `.json` object from files to labels, or a text
            file with the class folders' names, one a line, in label order; None sorts the class folders.
        label_key: the array of each `.npz` file that is its label.

    Raises:
        DatasetError: the folder is missing, both kinds of label are asked for, or the labels don't fit the files.
    """

    def __init__(
        self, context: DatasetContext, *, path: str, labels: str | None = None, label_key: str | None = None
    ) -> None:
        self._folder = context.root / path
        require_folder(self._folder)
        if labels is not None and label_key is not None:
            raise DatasetError(
                "takes `labels` or `label_key`, not both", where="numpy_folder", fix="leave one of them out"
            )
        self._label_key = label_key
        self._names = file_names(self._folder, _EXTENSIONS)
        self._label_of: Callable[[str], Any] = lambda _: None
        if label_key is None:
            file = None if labels is None else context.root / labels
            self._label_of = label_lookup(self._folder, self._names, file)

    def __len__(self) -> int:
        return len(self._names)

    def __getitem__(self, index: int) -> Sample:
        name = self._names[index]
        tensors = _read(self._folder / name)
        if self._label_key is None:
            return Sample(name, tensors, self._label_of(name))
        if not isinstance(tensors, dict) or self._label_key not in tensors:
            held = list(tensors) if isinstance(tensors, dict) else []
            raise DatasetError(
                f"holds no array '{self._label_key}'{did_you_mean(self._label_key, held)}",
                where=str(self._folder / name),
                fix="set `label_key` to an array that every .npz file of the folder holds",
            )
        label = tensors.pop(self._label_key)[()]
        return Sample(name, tensors, label)


def _read(path: Path) -> npt.NDArray[Any] | dict[str, npt.NDArray[Any]]:
    try:
        with path.open("rb") as stream:  # NumPy leaves a damaged file open that it opened itself
            if path.suffix.lower() == ".npz":
                with np.load(stream, allow_pickle=False) as archive:
                    return {name: archive[name] for name in archive.files}
            return np.lib.format.read_array(stream, allow_pickle=False)
    except (OSError, ValueError, TypeError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error) as error:
        raise DatasetError(
            f"is not a readable NumPy file: {error}",
            where=str(path),
            fix="write it with numpy.save or numpy.savez, arrays of numbers or strings only",
        ) from error
