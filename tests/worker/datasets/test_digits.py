from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_digits

from recipekit import registry
from recipekit.contracts import Dataset, DatasetContext
from recipekit.digests import of_bytes
from recipekit.errors import DatasetError
from recipekit.worker.datasets import digits
from recipekit.worker.datasets.digits import DigitsDataset
from tests.properties import at_most

SPLITS = ("train", "calibration", "test")
CONTEXT = DatasetContext(root=Path("/nowhere"), seed=0)


def ids(dataset: Dataset) -> list[str]:
    return [dataset[index].id for index in range(len(dataset))]


def image(dataset: Dataset, index: int) -> npt.NDArray[Any]:
    return dict(dataset[index].tensors)["image"]


@pytest.fixture(scope="module")
def splits() -> dict[str, DigitsDataset]:
    """The images in their own size, one channel: nothing is resized."""
    return {split: DigitsDataset(CONTEXT, split=split, size=8, channels=1) for split in SPLITS}


def test_the_splits_have_their_sizes(splits: dict[str, DigitsDataset]) -> None:
    assert [len(splits[split]) for split in SPLITS] == [1097, 200, 500]


def test_every_image_is_in_exactly_one_split(splits: dict[str, DigitsDataset]) -> None:
    everywhere = [name for split in SPLITS for name in ids(splits[split])]
    assert sorted(everywhere) == sorted(f"digits/{index}" for index in range(1797))


def test_no_image_has_an_identical_twin_in_another_split(splits: dict[str, DigitsDataset]) -> None:
    digests = {
        split: {of_bytes(image(dataset, index).tobytes()) for index in range(len(dataset))}
        for split, dataset in splits.items()
    }
    assert not digests["train"] & digests["calibration"]
    assert not digests["train"] & digests["test"]
    assert not digests["calibration"] & digests["test"]


@pytest.mark.parametrize(("split", "per_class"), [("calibration", 20), ("test", 50)])
def test_a_held_out_split_holds_every_class_equally(
    splits: dict[str, DigitsDataset], split: str, per_class: int
) -> None:
    labels = [splits[split][index].label for index in range(len(splits[split]))]
    assert np.bincount(labels).tolist() == [per_class] * 10


def test_the_splits_never_change(splits: dict[str, DigitsDataset]) -> None:
    """The shipped model is judged on images that it was not trained on only as long as these digests hold."""
    assert {split: of_bytes("\n".join(ids(dataset)).encode())[:12] for split, dataset in splits.items()} == {
        "train": "689a3d96ac2a",
        "calibration": "b4591b2f0df0",
        "test": "abb691a9df30",
    }


@pytest.mark.slow
@settings(max_examples=10)
@given(seed=st.integers(0, 2**31))
def test_the_split_is_the_same_for_every_seed(seed: int) -> None:
    seeded = DigitsDataset(DatasetContext(root=Path("/elsewhere"), seed=seed), split="calibration")
    assert ids(seeded) == ids(DigitsDataset(CONTEXT, split="calibration"))


def test_a_sample_carries_the_image_and_the_label_that_its_id_names(splits: dict[str, DigitsDataset]) -> None:
    digits = load_digits()
    for index in (0, 7, 499):
        sample = splits["test"][index]
        original = int(sample.id.removeprefix("digits/"))
        assert sample.label == digits.target[original]
        assert type(sample.label) is int
        np.testing.assert_array_equal(image(splits["test"], index)[:, :, 0], digits.images[original] / 8 - 1)


@settings(max_examples=at_most(30))
@given(size=st.integers(1, 96), channels=st.integers(1, 4), index=st.integers(0, 499))
def test_any_size_gives_float32_between_minus_one_and_one(size: int, channels: int, index: int) -> None:
    pixels = image(DigitsDataset(CONTEXT, size=size, channels=channels), index)
    assert pixels.shape == (size, size, channels)
    assert pixels.dtype == np.float32
    assert pixels.min() >= -1
    assert pixels.max() <= 1
    assert all(np.array_equal(pixels[:, :, 0], pixels[:, :, channel]) for channel in range(channels))


def test_an_enlarged_image_is_interpolated_bilinearly() -> None:
    """Half-pixel centres: the target pixel i lies at (i + 0.5) / 6 - 0.5 of the source, clamped at the border."""
    small = image(DigitsDataset(CONTEXT, size=8, channels=1), 3)[:, :, 0].astype(np.float64)
    position = np.clip((np.arange(48) + 0.5) / 6 - 0.5, 0, 7)
    weights = np.maximum(0, 1 - np.abs(position[:, np.newaxis] - np.arange(8)))
    large = image(DigitsDataset(CONTEXT, size=48, channels=1), 3)[:, :, 0]
    np.testing.assert_allclose(large, weights @ small @ weights.T, atol=1e-5)


def test_the_same_index_gives_the_same_sample_each_time() -> None:
    dataset = DigitsDataset(CONTEXT)
    np.testing.assert_array_equal(image(dataset, 11), image(dataset, 11))


def test_an_index_beyond_the_end_is_refused(splits: dict[str, DigitsDataset]) -> None:
    with pytest.raises(IndexError):
        splits["test"][500]


def test_an_unknown_split_is_refused_with_the_names_of_the_splits() -> None:
    with pytest.raises(DatasetError, match="'validation'") as caught:
        DigitsDataset(CONTEXT, split="validation")
    assert all(split in caught.value.fix for split in SPLITS)


@pytest.mark.parametrize(("size", "channels"), [(0, 3), (-8, 3), (48, 0)])
def test_an_image_without_pixels_is_refused(size: int, channels: int) -> None:
    with pytest.raises(DatasetError, match="can't be made"):
        DigitsDataset(CONTEXT, size=size, channels=channels)


def test_the_registry_knows_the_dataset() -> None:
    assert registry.plugin("datasets", "digits") is DigitsDataset


def test_the_file_is_read_as_scikit_learn_reads_it(monkeypatch: pytest.MonkeyPatch) -> None:
    images, labels = digits._load()
    monkeypatch.setattr(digits, "_FILE", "elsewhere")
    expected_images, expected_labels = digits._load()
    np.testing.assert_array_equal(images, expected_images, strict=True)
    np.testing.assert_array_equal(labels, expected_labels, strict=True)
