"""The dataset `huggingface`: folders of `save_to_disk`, formats of `load_dataset`, and no network unless asked for."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from recipekit.contracts import DatasetContext
from recipekit.errors import DatasetError, EnvironmentFault
from recipekit.worker.datasets.huggingface import HuggingFaceDataset

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    import datasets  # noqa: PLC0415  # takes seconds

    datasets.disable_progress_bars()
    root = tmp_path_factory.mktemp("huggingface")
    kinds = datasets.Features(
        {
            "image": datasets.Image(),
            "grey": datasets.Image(),
            "x": datasets.List(datasets.Value("float32")),
            "label": datasets.ClassLabel(names=["even", "odd"]),
            "text": datasets.Value("string"),
            "objects": {
                "bbox": datasets.List(datasets.List(datasets.Value("float32"))),
                "category": datasets.List(datasets.Value("int64")),
            },
        }
    )
    rows = datasets.Dataset.from_list(
        [
            {
                "image": Image.fromarray(np.full((4, 5, 3), index, np.uint8)),
                "grey": Image.fromarray(np.full((4, 5), index, np.uint8)),
                "x": [float(index), 0.5],
                "label": index % 2,
                "text": f"größe {index}",
                "objects": {"bbox": [[0.0, 0.0, 1.0, index]] * (index % 3), "category": [index] * (index % 3)},
            }
            for index in range(6)
        ],
        kinds,
    )
    rows.save_to_disk(str(root / "one"))
    datasets.DatasetDict({"train": rows, "test": rows.select([4, 5])}).save_to_disk(str(root / "splits"))
    (root / "table.csv").write_text("a,b,y\n1,2.5,0\n3,4.5,1\n")
    return root


def opened(root: Path, **params: Any) -> HuggingFaceDataset:
    return HuggingFaceDataset(DatasetContext(root, 0), **params)


def test_columns_become_arrays_of_their_own_types(saved: Path) -> None:
    sample = opened(saved, path="one", label_key="label")[3]
    tensors: Any = sample.tensors
    assert (sample.id, int(sample.label)) == ("3", 1)
    assert {name: (np.asarray(array).dtype.name, np.shape(array)) for name, array in tensors.items()} == {
        "image": ("uint8", (4, 5, 3)),
        "grey": ("uint8", (4, 5, 1)),
        "x": ("float32", (2,)),
        "text": ("str224", ()),
        "objects/bbox": ("float32", (0,)),
        "objects/category": ("int64", (0,)),
    }


def test_inputs_and_labels_are_chosen_by_name(saved: Path) -> None:
    dataset = opened(saved, path="one", inputs={"pixels": "image"}, label_key=["objects/bbox", "objects/category"])
    assert list(dataset[2].tensors) == ["pixels"]
    np.testing.assert_array_equal(dataset[2].label, [[0, 0, 1, 2, 2]] * 2)
    assert np.size(dataset[3].label) == 0
    assert str(opened(saved, path="one", label_key="text")[5].label) == "größe 5"
    with pytest.raises(DatasetError, match="has no field 'lable'; did you mean 'label'") as caught:
        opened(saved, path="one", label_key="lable")[1]
    assert caught.value.where == "one row 1"


def test_a_split_is_chosen_where_there_are_several(saved: Path) -> None:
    assert [len(opened(saved, path="splits", split=split)) for split in ("train", "test")] == [6, 2]
    for path, split, message in (
        ("splits", None, "has several splits"),
        ("splits", "tset", "has no split 'tset'; did you mean 'test'"),
        ("one", "test", "has no split 'test'"),
    ):
        with pytest.raises(DatasetError, match=message):
            opened(saved, path=path, split=split)


def test_files_of_a_format_are_loaded_without_the_network(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import datasets  # noqa: PLC0415  # takes seconds

    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", saved / "cache")
    dataset = opened(saved, dataset="csv", data_files="table.csv", inputs={"a": "a", "b": "b"}, label_key="y")
    sample = dataset[1]
    assert ({name: float(value) for name, value in sample.tensors.items()}, int(sample.label)) == (  # type: ignore[union-attr]
        {"a": 3.0, "b": 4.5},
        1,
    )


def test_an_address_among_the_files_is_refused(saved: Path) -> None:
    with pytest.raises(DatasetError, match="is an address, not a file") as caught:
        opened(saved, dataset="csv", data_files="https://example.org/table.csv", download=True)
    assert "download it into the project" in caught.value.fix


def test_the_network_is_not_asked(saved: Path) -> None:
    with pytest.raises(DatasetError, match=r"can't be loaded: .*OfflineMode") as caught:
        opened(saved, dataset="no-such-owner/no-such-dataset")
    assert "download: true" in caught.value.fix


def test_an_absent_folder_and_two_sources_are_refused(saved: Path) -> None:
    with pytest.raises(DatasetError, match="can't be loaded"):
        opened(saved, path="absent")
    for both in ({}, {"path": "one", "dataset": "csv"}):
        with pytest.raises(DatasetError, match="takes `path` or `dataset`"):
            opened(saved, **both)


def test_a_missing_package_is_answered_with_the_extra(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(EnvironmentFault, match="'huggingface' needs the package 'datasets'") as caught:
        opened(saved, path="one")
    assert caught.value.fix == "pip install 'recipekit[huggingface]'"
