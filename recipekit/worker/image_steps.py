"""Preprocessing steps for images: arrays of shape HxW or HxWxC.

Each public function takes a step's argument as the recipe has it and gives a function from array to array; both raise
ValueError or TypeError with a sentence that follows the name of the step.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
from PIL import Image

from recipekit.nearest import did_you_mean
from recipekit.worker.step_arguments import height_and_width, options
from recipekit.worker.tensors import Array, Transform

_METHODS = {
    "nearest": Image.Resampling.NEAREST,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
    "area": Image.Resampling.BOX,
}
_RED, _GREEN, _BLUE = 0.299, 0.587, 0.114


def resize(argument: Any) -> Transform:
    """`[h, w]` or `{size: [h, w], method: bilinear}`; Pillow's filters, which widen with the scale when shrinking."""
    given = options(argument, ("size",), ("method",)) if isinstance(argument, Mapping) else {"size": argument}
    height, width = height_and_width(given["size"])
    method = given.get("method", "bilinear")
    if method not in _METHODS:
        raise ValueError(f"there is no method {method!r}{did_you_mean(str(method), _METHODS)}")
    return partial(_resize_image, size=(width, height), method=_METHODS[method])


def center_crop(argument: Any) -> Transform:
    """`[h, w]`: the middle of the image; of an odd remainder the larger part is cut at the bottom and right."""
    return partial(_crop_image, size=height_and_width(argument))


def channels(argument: Any) -> Transform:
    """`1` or `3`: grey from colour by ITU-R 601-2 luma, colour from grey by repetition; HxW counts as one channel."""
    if isinstance(argument, bool) or argument not in (1, 3):
        raise ValueError(f"takes 1 or 3, got {argument!r}")
    return partial(_change_channels, count=argument)


def _resize_image(array: Array, size: tuple[int, int], method: Image.Resampling) -> Array:
    _expect_image(array)
    if array.dtype != np.uint8 and array.dtype.kind != "f":
        raise ValueError(f"takes uint8 or float images, got {array.dtype}; cast it first")
    if array.ndim == 2 or (array.dtype == np.uint8 and array.shape[2] == 3):
        return _resize_plane(array, size, method)
    planes = [_resize_plane(array[:, :, channel], size, method) for channel in range(array.shape[2])]
    return np.stack(planes, axis=-1)


def _resize_plane(plane: Array, size: tuple[int, int], method: Image.Resampling) -> Array:
    """One channel, or an RGB image of uint8; floats go through Pillow's only float type, float32."""
    pixels = plane if plane.dtype == np.uint8 else plane.astype(np.float32)
    resized = Image.fromarray(np.ascontiguousarray(pixels)).resize(size, method)
    return np.asarray(resized).astype(plane.dtype, copy=False)


def _crop_image(array: Array, size: tuple[int, int]) -> Array:
    _expect_image(array)
    height, width = size
    top, left = (array.shape[0] - height) // 2, (array.shape[1] - width) // 2
    if top < 0 or left < 0:
        raise ValueError(f"can't cut {height}x{width} from an image of {array.shape[0]}x{array.shape[1]}")
    return np.ascontiguousarray(array[top : top + height, left : left + width])


def _change_channels(array: Array, count: int) -> Array:
    _expect_image(array)
    image = array[:, :, np.newaxis] if array.ndim == 2 else array
    if image.shape[2] == count:
        return image
    if image.shape[2] == 1:
        return np.repeat(image, count, axis=2)
    if image.shape[2] != 3:
        raise ValueError(f"takes images of 1 or 3 channels, got the shape {array.shape}")
    if image.dtype == np.uint8:
        return np.asarray(Image.fromarray(np.ascontiguousarray(image)).convert("L"))[:, :, np.newaxis]
    if image.dtype.kind != "f":
        raise ValueError(f"takes uint8 or float images, got {image.dtype}; cast it first")
    grey = image[:, :, 0] * _RED + image[:, :, 1] * _GREEN + image[:, :, 2] * _BLUE
    return grey[:, :, np.newaxis]


def _expect_image(array: Array) -> None:
    if array.ndim not in (2, 3) or 0 in array.shape:
        raise ValueError(f"takes an image of shape HxW or HxWxC, got the shape {array.shape}")
