"""The dataset `digits`: the handwritten digits that scikit-learn carries, so that an example needs no download.

It knows nothing of models; it fixes which images are for training, for calibration and for the test.
"""

from __future__ import annotations

import gzip
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from recipekit.contracts import DatasetContext, Sample
from recipekit.digests import of_bytes
from recipekit.errors import DatasetError

_PER_CLASS = {"test": slice(0, 50), "calibration": slice(50, 70), "train": slice(70, None)}
_WHITE = 16.0
_FILE = "datasets/data/digits.csv.gz"


class DigitsDataset:
    """The 1,797 images of `sklearn.datasets.load_digits` (8x8, values 0 to 16), as one fixed split of three.

    Each class gives 50 images to `test` and 20 to `calibration`; the other 1,097 are `train`. The images of a class
    are dealt in the order of their SHA-256, so a split depends on nothing but the images: no seed, no library version.

    A sample holds the input `image`, a float32 array of shape (size, size, channels) in [-1, 1]: the image resized
    bilinearly and repeated over the channels. Its label is the digit, an int; its id `digits/<index in load_digits>`.

    Args:
        context: not used: the splits are the same for every project and seed.
        split: `train`, `calibration` or `test`.
        size: height and width of the resized images, in pixels.
        channels: how often the grey image is repeated.

    Raises:
        DatasetError: there is no such split, or `size` or `channels` is not positive.
    """

    def __init__(self, context: DatasetContext, *, split: str = "test", size: int = 48, channels: int = 3) -> None:
        del context
        if split not in _PER_CLASS:
            raise DatasetError(
                f"there is no split '{split}'", where="digits", fix=f"use one of {', '.join(_PER_CLASS)}"
            )
        if min(size, channels) < 1:
            raise DatasetError(
                f"images of {size}x{size}x{channels} can't be made", where="digits", fix="give positive numbers"
            )
        self._images, self._labels = _load()
        self._indices = _indices(self._images, self._labels, _PER_CLASS[split])
        self._size = size
        self._channels = channels

    def __len__(self) -> int:
        return len(self._indices)

    def __getitem__(self, index: int) -> Sample:
        original = self._indices[index]
        resized = Image.fromarray(self._images[original]).resize((self._size, self._size), Image.Resampling.BILINEAR)
        scaled = np.asarray(resized) * np.float32(2 / _WHITE) - np.float32(1)
        image = np.repeat(scaled[:, :, np.newaxis], self._channels, axis=2)
        return Sample(id=f"digits/{original}", tensors={"image": image}, label=int(self._labels[original]))


def _load() -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
    """The images of `load_digits`, of shape (1797, 8, 8), and their labels.

    They are read from the file that scikit-learn carries, since importing it takes a second in every process; where a
    version keeps that file elsewhere, scikit-learn itself reads it.
    """
    package = find_spec("sklearn")  # looks for it and imports nothing
    file = Path(package.origin).parent / _FILE if package and package.origin else None
    if file and file.is_file():
        with gzip.open(file, "rt", encoding="ascii") as lines:
            rows = np.loadtxt(lines, delimiter=",", dtype=np.int64)
        return rows[:, :-1].reshape(-1, 8, 8).astype(np.float32), rows[:, -1]
    from sklearn.datasets import load_digits  # noqa: PLC0415  # see above

    digits = load_digits()
    return digits.images.astype(np.float32), digits.target.astype(np.int64)


def _indices(images: npt.NDArray[np.float32], labels: npt.NDArray[Any], share: slice) -> list[int]:
    """Indices of one split, ascending: of each class, the share of its images sorted by digest."""
    digests = [of_bytes(image.astype(np.uint8).tobytes()) for image in images]
    chosen: list[int] = []
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label).tolist()
        chosen += sorted(members, key=digests.__getitem__)[share]
    return sorted(chosen)
