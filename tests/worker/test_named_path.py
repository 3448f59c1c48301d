"""A path that leads nowhere is told as that, not as a damaged file."""

from __future__ import annotations

from pathlib import Path

import pytest

from recipekit.contracts import DatasetContext
from recipekit.errors import DatasetError
from recipekit.worker.class_folders import label_lookup
from recipekit.worker.datasets.csv import CsvDataset
from recipekit.worker.datasets.image_folder import ImageFolderDataset
from recipekit.worker.datasets.npz import NpzDataset
from recipekit.worker.datasets.tfrecord import TFRecordDataset


@pytest.fixture
def context(tmp_path: Path) -> DatasetContext:
    (tmp_path / "samples.npz").touch()
    (tmp_path / "samples.csv").touch()
    (tmp_path / "photos").mkdir()
    return DatasetContext(tmp_path, 0)


def test_a_missing_file_is_told_with_the_nearest_name(context: DatasetContext) -> None:
    for dataset, name, near in ((NpzDataset, "sample.npz", "samples.npz"), (CsvDataset, "sample.csv", "samples.csv")):
        with pytest.raises(DatasetError) as caught:
            dataset(context, path=name)
        assert caught.value.what == f"there is no such file; did you mean '{near}'?"
        assert caught.value.where == str(context.root / name)
        assert caught.value.fix == "correct `path`"
    with pytest.raises(DatasetError, match=r"there are no such files; did you mean 'samples.npz'\?"):
        TFRecordDataset(context, path="samples.np", features={})
    with pytest.raises(DatasetError, match=r"there is no such folder; did you mean 'photos'\?"):
        ImageFolderDataset(context, path="photo")


def test_a_folder_is_no_file_and_a_file_no_folder(context: DatasetContext) -> None:
    with pytest.raises(DatasetError, match="photos: is a folder, not a file"):
        NpzDataset(context, path="photos")
    with pytest.raises(DatasetError, match=r"samples\.csv: is a file, not a folder"):
        ImageFolderDataset(context, path="samples.csv")


@pytest.mark.parametrize("labels", ["no.csv", "no.txt"])
def test_a_missing_table_of_labels_names_its_key(context: DatasetContext, labels: str) -> None:
    with pytest.raises(DatasetError, match="there is no such file") as caught:
        label_lookup(context.root / "photos", ["a/1.png"], context.root / labels)
    assert caught.value.fix == "correct `labels`"
