"""Inputs that look like images as small pictures. What an array means is guessed from its shape and its range."""

from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

_SMALLEST = 8
_LARGEST = 64
"""Pixels on the longer side of a thumbnail."""

_COLOURS = 64
_CHANNELS = {1, 3}
_USUAL = ((0.0, 1.0), (-1.0, 1.0), (0.0, 255.0))
"""Ranges that images have, the narrowest first."""


def thumbnail(values: npt.NDArray[Any]) -> str:
    """A PNG in base64 of an input without batch dimension; empty where it doesn't look like an image.

    Height, width and one or three channels look like one, channels last or first; and so do two dimensions.
    """
    pixels = _arranged(values)
    if pixels is None or pixels.dtype.kind not in "biuf" or not np.isfinite(pixels).all():
        return ""
    image = Image.fromarray(_scaled(pixels.astype(np.float64)))
    image.thumbnail((_LARGEST, _LARGEST), Image.Resampling.BOX)
    if image.mode == "RGB":
        image = image.quantize(_COLOURS)
    stream = io.BytesIO()
    image.save(stream, "PNG", optimize=True)
    return base64.b64encode(stream.getvalue()).decode()


def _arranged(values: npt.NDArray[Any]) -> npt.NDArray[Any] | None:
    """Height, width and, for three, channels; None for another shape."""
    if values.ndim == 3 and values.shape[0] in _CHANNELS and values.shape[2] not in _CHANNELS:
        values = np.moveaxis(values, 0, 2)
    if values.ndim == 3 and values.shape[2] == 1:
        values = values[:, :, 0]
    colour = values.ndim == 3 and values.shape[2] == 3
    return values if (values.ndim == 2 or colour) and min(values.shape[:2]) >= _SMALLEST else None


def _scaled(values: npt.NDArray[np.float64]) -> npt.NDArray[np.uint8]:
    """Values as bytes, by the narrowest usual range that holds them, else by their own."""
    lowest, highest = float(values.min()), float(values.max())
    low, high = next((pair for pair in _USUAL if pair[0] <= lowest and highest <= pair[1]), (lowest, highest))
    scaled = (values - low) * (255 / (high - low))
    return np.rint(scaled).astype(np.uint8)
