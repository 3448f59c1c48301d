"""Images below a folder, labelled by their class folders where there are any."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy.typing as npt

from recipekit.contracts import DatasetContext, Sample
from recipekit.errors import DatasetError
from recipekit.worker.class_folders import file_names, label_lookup
from recipekit.worker.image_file import MODES, decode_image
from recipekit.worker.named_path import require_folder

_EXTENSIONS = ("jpg", "jpeg", "png", "bmp", "gif", "webp", "tif", "tiff")


class ImageFolderDataset:
    """Images as uint8 arrays of shape HxWxC, in the order of their paths; the id is the path relative to the folder.

    Images in first-level folders are labelled by the place of that folder among all first-level folders, sorted by
    name, so that a class without images still counts. Images directly in the folder have no labels. Hidden files and
    folders are left out. Of an animation the first frame is taken; EXIF orientation is applied.

    Args:
        context: where relative paths start.
        path: the folder.
        extensions: file name endings that count as images, in any case, with or without the dot.
        mode: `RGB` (three channels) or `L` (one, grey).
        labels: a text file with the class folders' names, one a line, in label order, or a `.csv` table or `.json`
            object from files to labels, such as boxes; None sorts the class folders.

    Raises:
        DatasetError: the folder is missing, mixes labelled and unlabelled images, or doesn't fit `labels`.
    """

    def __init__(
        self,
        context: DatasetContext,
        *,
        path: str,
        extensions: Sequence[str] = _EXTENSIONS,
        mode: str = "RGB",
        labels: str | None = None,
    ) -> None:
        self._folder = context.root / path
        require_folder(self._folder)
        if mode not in MODES:
            raise DatasetError(f"there is no mode {mode!r}", where="image_folder", fix="use RGB or L")
        self._mode = mode
        self._names = file_names(self._folder, extensions)
        self._label_of = label_lookup(self._folder, self._names, None if labels is None else context.root / labels)

    def __len__(self) -> int:
        return len(self._names)

    def __getitem__(self, index: int) -> Sample:
        name = self._names[index]
        return Sample(name, _read(self._folder / name, self._mode), self._label_of(name))


def _read(path: Path, mode: str) -> npt.NDArray[Any]:
    try:
        return decode_image(path, mode)
    except Exception as error:  # decoders of broken files raise whatever their parser stumbles over
        raise DatasetError(
            f"is not a readable image: {error}",
            where=str(path),
            fix="replace or remove the file, or save it with 8 bits a channel",
        ) from error
