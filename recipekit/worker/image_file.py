"""Encoded images as arrays. It knows nothing of where they lie."""

from __future__ import annotations

from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps

MODES = ("RGB", "L")
"""Pillow's names of the two kinds of image that are read: colour and grey."""

_DEEP_MODES = ("I", "F")


def decode_image(source: Path | IO[bytes], mode: str) -> npt.NDArray[Any]:
    """A uint8 array of shape HxWxC; of an animation the first frame, EXIF orientation applied.

    Args:
        source: a file, or an open one.
        mode: one of `MODES`.

    Raises:
        ValueError: the pixels have more than 8 bits.
        Exception: whatever Pillow's parser of a broken file stumbles over.
    """
    with Image.open(source) as image:
        if image.mode.startswith(_DEEP_MODES):
            raise ValueError(f"its pixels have more than 8 bits (mode {image.mode})")
        upright = ImageOps.exif_transpose(image)
        if "transparency" in upright.info:
            upright = upright.convert("RGBA")  # Pillow warns of a palette with transparency that goes straight to RGB
        pixels = np.array(upright.convert(mode))
    return pixels if pixels.ndim == 3 else pixels[:, :, np.newaxis]
