"""Images below a folder, labelled by their class folders where there are any."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps

from recipekit.contracts import DatasetContext, Sample
from recipekit.errors import DatasetError
from recipekit.nearest import did_you_mean

_EXTENSIONS = ("jpg", "jpeg", "png", "bmp", "gif", "webp", "tif", "tiff")
_MODES = ("RGB", "L")
_DEEP_MODES = ("I", "F")


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
        labels: a text file with the class folders' names, one a line, in label order; None sorts them.

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
        if not self._folder.is_dir():
            raise DatasetError("there is no such folder", where=str(self._folder), fix="correct `path`")
        if mode not in _MODES:
            raise DatasetError(f"there is no mode {mode!r}", where="image_folder", fix="use RGB or L")
        self._mode = mode
        self._names = sorted(_image_names(self._folder, extensions))
        self._labels = self._label_classes(context.root / labels if labels is not None else None)

    def __len__(self) -> int:
        return len(self._names)

    def __getitem__(self, index: int) -> Sample:
        name = self._names[index]
        label = self._labels[name.partition("/")[0]] if self._labels else None
        return Sample(name, _read(self._folder / name, self._mode), label)

    def _label_classes(self, file: Path | None) -> dict[str, int]:
        """The label of each class folder; empty where images have no class folders."""
        loose = [name for name in self._names if "/" not in name]
        if loose and (len(loose) < len(self._names) or file is not None):
            raise DatasetError(
                f"'{loose[0]}' lies beside the class folders, so it has no label",
                where=str(self._folder),
                fix="move every image into a class folder, or all of them out",
            )
        if loose or not self._names:
            return {}
        if file is None:
            folders = (entry.name for entry in self._folder.iterdir() if entry.is_dir())
            return {name: label for label, name in enumerate(sorted(n for n in folders if not n.startswith(".")))}
        order = _read_class_names(file)
        for folder in sorted({name.partition("/")[0] for name in self._names}):
            if folder not in order:
                raise DatasetError(
                    f"the class folder '{folder}' is not listed{did_you_mean(folder, order)}",
                    where=str(file),
                    fix="add a line with its name, or rename the folder",
                )
        return order


def _image_names(folder: Path, extensions: Sequence[str]) -> Iterator[str]:
    endings = tuple("." + extension.lower().removeprefix(".") for extension in extensions)
    for parent, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in files:
            if name.lower().endswith(endings) and not name.startswith("."):
                yield Path(parent, name).relative_to(folder).as_posix()


def _read_class_names(file: Path) -> dict[str, int]:
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


def _read(path: Path, mode: str) -> npt.NDArray[Any]:
    try:
        return _decode(path, mode)
    except Exception as error:  # decoders of broken files raise whatever their parser stumbles over
        raise DatasetError(
            f"is not a readable image: {error}",
            where=str(path),
            fix="replace or remove the file, or save it with 8 bits a channel",
        ) from error


def _decode(path: Path, mode: str) -> npt.NDArray[Any]:
    with Image.open(path) as image:
        if image.mode.startswith(_DEEP_MODES):
            raise ValueError(f"its pixels have more than 8 bits (mode {image.mode})")
        upright = ImageOps.exif_transpose(image)
        if "transparency" in upright.info:
            upright = upright.convert("RGBA")  # Pillow warns of a palette with transparency that goes straight to RGB
        pixels = np.array(upright.convert(mode))
    return pixels if pixels.ndim == 3 else pixels[:, :, np.newaxis]
