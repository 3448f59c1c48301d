from __future__ import annotations

import base64
import io

import numpy as np
import pytest
from PIL import Image

from recipekit.worker.figures.thumbnails import thumbnail


def opened(text: str) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(text)))


@pytest.mark.parametrize("shape", [(48, 48, 3), (48, 32, 1), (3, 48, 48), (1, 28, 28), (49, 10)])
def test_what_looks_like_an_image_becomes_one(shape: tuple[int, ...]) -> None:
    image = opened(thumbnail(np.random.default_rng(0).uniform(-1, 1, shape).astype(np.float32)))
    channels_first = len(shape) == 3 and shape[0] in {1, 3}
    height, width = shape[1:] if channels_first else shape[:2]
    assert image.size == (width, height)


@pytest.mark.parametrize("shape", [(), (16,), (4, 48), (48, 48, 7), (2, 48, 48, 3), (0, 48, 3)])
def test_other_shapes_have_no_picture(shape: tuple[int, ...]) -> None:
    assert thumbnail(np.zeros(shape, np.float32)) == ""


def test_text_and_values_that_are_not_finite_have_no_picture() -> None:
    assert thumbnail(np.full((8, 8), "a")) == ""
    assert thumbnail(np.full((8, 8), np.nan)) == ""


def test_a_photograph_takes_a_few_kilobytes() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (224, 224, 3))
    text = thumbnail(noise)
    assert opened(text).size == (64, 64)
    assert len(text) < 6_000


@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (-1.0, 1.0), (0, 255), (-7.5, 12.5)])
def test_the_darkest_and_the_brightest_value_of_a_range_are_black_and_white(low: float, high: float) -> None:
    values = np.full((8, 8), low)
    values[0, 0] = high
    pixels = np.asarray(opened(thumbnail(values)))
    assert (pixels[0, 0], pixels[7, 7]) == (255, 0)
