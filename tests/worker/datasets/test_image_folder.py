"""The dataset `image_folder`: which files are images, what labels they have, and how they are read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from recipekit.contracts import DatasetContext, Sample
from recipekit.errors import DatasetError
from recipekit.worker.datasets.image_folder import ImageFolderDataset


def save(path: Path, pixels: Any = None, **options: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.zeros((4, 5, 3), np.uint8) if pixels is None else pixels).save(path, **options)


def open_folder(root: Path, **params: Any) -> list[Sample]:
    dataset = ImageFolderDataset(DatasetContext(root, 0), path="images", **params)
    return [dataset[index] for index in range(len(dataset))]


def pixels(sample: Sample) -> np.ndarray[Any, Any]:
    assert isinstance(sample.tensors, np.ndarray)
    return sample.tensors


def test_images_come_in_the_order_of_their_paths(tmp_path: Path) -> None:
    for name in ("b/1.png", "a/2.png", "a/10.png", "a-b/1.png", "a/deeper/1.png"):
        save(tmp_path / "images" / name)
    assert [sample.id for sample in open_folder(tmp_path)] == [
        *("a-b/1.png", "a/10.png", "a/2.png", "a/deeper/1.png", "b/1.png")
    ]


def test_class_folders_are_labels_whether_or_not_they_hold_images(tmp_path: Path) -> None:
    for name in ("dog/1.png", "cat/1.png", "cat/more/2.png"):
        save(tmp_path / "images" / name)
    (tmp_path / "images" / "cow").mkdir()
    (tmp_path / "images" / ".cache").mkdir()
    labels = {sample.id: sample.label for sample in open_folder(tmp_path)}
    assert labels == {"cat/1.png": 0, "cat/more/2.png": 0, "dog/1.png": 2}


def test_a_labels_file_gives_the_order(tmp_path: Path) -> None:
    for name in ("dog/1.png", "cat/1.png"):
        save(tmp_path / "images" / name)
    (tmp_path / "labels.txt").write_text("bird\ndog\n\ncat\n")
    labels = {sample.id: sample.label for sample in open_folder(tmp_path, labels="labels.txt")}
    assert labels == {"cat/1.png": 2, "dog/1.png": 1}


def test_a_table_gives_boxes(tmp_path: Path) -> None:
    save(tmp_path / "images" / "1.png")
    save(tmp_path / "images" / "more" / "2.png")
    (tmp_path / "boxes.json").write_text('{"1.png": [[0, 0, 1, 1, 7]], "more/2.png": []}')
    labels = {sample.id: sample.label for sample in open_folder(tmp_path, labels="boxes.json")}
    assert labels == {"1.png": [[0, 0, 1, 1, 7]], "more/2.png": []}


def test_images_directly_in_the_folder_have_no_labels(tmp_path: Path) -> None:
    save(tmp_path / "images" / "1.png")
    (tmp_path / "images" / "empty").mkdir()
    assert [sample.label for sample in open_folder(tmp_path)] == [None]


@pytest.mark.parametrize(
    ("names", "labels", "message"),
    [
        (("1.png", "a/1.png"), None, "'1.png' lies beside the class folders"),
        (("1.png",), "a\n", "has no label"),
        (("cats/1.png",), "cat\n", "'cats' is not listed; did you mean 'cat'"),
        (("cat/1.png",), "cat\ndog\ncat\n", "'cat' twice"),
    ],
)
def test_labels_that_do_not_fit_are_refused(
    names: tuple[str, ...], labels: str | None, message: str, tmp_path: Path
) -> None:
    for name in names:
        save(tmp_path / "images" / name)
    params = {}
    if labels is not None:
        (tmp_path / "labels.txt").write_text(labels)
        params["labels"] = "labels.txt"
    with pytest.raises(DatasetError, match=message):
        open_folder(tmp_path, **params)


def test_endings_count_in_any_case_and_hidden_files_do_not(tmp_path: Path) -> None:
    for name in ("1.PNG", "2.jpeg", "3.webp", "4.Tif", "._5.png", ".hidden/6.png"):
        save(tmp_path / "images" / name)
    (tmp_path / "images" / "notes.txt").write_text("not an image")
    assert [sample.id for sample in open_folder(tmp_path)] == ["1.PNG", "2.jpeg", "3.webp", "4.Tif"]


@pytest.mark.parametrize("extensions", [["png"], [".PNG"]])
def test_endings_may_be_chosen(extensions: list[str], tmp_path: Path) -> None:
    for name in ("1.png", "2.jpg"):
        save(tmp_path / "images" / name)
    assert [sample.id for sample in open_folder(tmp_path, extensions=extensions)] == ["1.png"]


@pytest.mark.parametrize(("mode", "channels"), [("RGB", 3), ("L", 1)])
@pytest.mark.parametrize("stored", ["RGB", "RGBA", "L", "LA", "P", "1", "CMYK"])
def test_every_kind_of_image_becomes_bytes_of_the_asked_channels(
    mode: str, channels: int, stored: str, tmp_path: Path
) -> None:
    (tmp_path / "images").mkdir()
    name = "1.tif" if stored == "CMYK" else "1.png"
    Image.new("RGB", (5, 4), (255, 255, 255)).convert(stored).save(tmp_path / "images" / name)
    (sample,) = open_folder(tmp_path, mode=mode)
    assert pixels(sample).dtype == np.uint8
    assert pixels(sample).shape == (4, 5, channels)
    assert pixels(sample).min() >= 254


def test_a_palette_with_transparency_is_read(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    image = Image.new("P", (5, 4), 1)
    image.putpalette([0, 0, 0, 10, 20, 30])
    image.save(tmp_path / "images" / "1.png", transparency=b"\x80\xff")
    assert pixels(open_folder(tmp_path)[0])[0, 0].tolist() == [10, 20, 30]


def test_the_orientation_of_a_photograph_is_applied(tmp_path: Path) -> None:
    image = np.random.default_rng(0).integers(0, 256, (4, 6, 3), dtype=np.uint8)
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: rotate by 270 degrees
    save(tmp_path / "images" / "1.png", image, exif=exif)
    np.testing.assert_array_equal(pixels(open_folder(tmp_path)[0]), np.rot90(image, 3))


@pytest.mark.parametrize("length", [0, 10, 60, 200])
def test_an_unreadable_image_is_named(length: int, tmp_path: Path) -> None:
    path = tmp_path / "images" / "a" / "1.png"
    save(path, np.random.default_rng(0).integers(0, 256, (40, 50, 3), dtype=np.uint8))
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(DatasetError, match="not a readable image") as caught:
        open_folder(tmp_path)
    assert caught.value.where == str(path)


def test_deep_pixels_are_refused_rather_than_clipped(tmp_path: Path) -> None:
    save(tmp_path / "images" / "1.png", np.full((4, 5), 40_000, np.uint16))
    with pytest.raises(DatasetError, match="more than 8 bits"):
        open_folder(tmp_path)


def test_a_missing_folder_and_an_unknown_mode_are_errors(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="no such folder"):
        open_folder(tmp_path)
    (tmp_path / "images").mkdir()
    with pytest.raises(DatasetError, match="no mode 'HSV'"):
        open_folder(tmp_path, mode="HSV")


def test_an_unreadable_labels_file_is_an_error(tmp_path: Path) -> None:
    save(tmp_path / "images" / "a" / "1.png")
    with pytest.raises(DatasetError, match="there is no such file"):
        open_folder(tmp_path, labels="labels.txt")
    (tmp_path / "labels.txt").write_bytes(b"\xff\xfe")
    with pytest.raises(DatasetError, match="can't be read"):
        open_folder(tmp_path, labels="labels.txt")
