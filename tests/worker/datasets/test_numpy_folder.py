"""The dataset `numpy_folder`: a file a sample, and the three places where labels may stand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from recipekit.contracts import DatasetContext
from recipekit.errors import DatasetError
from recipekit.worker.datasets.numpy_folder import NumpyFolderDataset


def save(root: Path, *names: str) -> None:
    for number, name in enumerate(names):
        path = root / "arrays" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if name.endswith(".npz"):
            np.savez(path, a=np.full(3, number), b=np.eye(2), mask=np.full((2, 2), number))
        else:
            np.save(path, np.full((2, 3), number, np.float32))


def open_folder(root: Path, **params: Any) -> NumpyFolderDataset:
    return NumpyFolderDataset(DatasetContext(root, 0), path="arrays", **params)


def labels_of(root: Path, **params: Any) -> dict[str, Any]:
    dataset = open_folder(root, **params)
    return {sample.id: sample.label for sample in (dataset[index] for index in range(len(dataset)))}


def test_an_npy_file_is_one_array_without_a_name(tmp_path: Path) -> None:
    save(tmp_path, "b.npy", "a.npy")
    first = open_folder(tmp_path)[0]
    assert (first.id, first.label) == ("a.npy", None)
    np.testing.assert_array_equal(np.asarray(first.tensors), np.ones((2, 3), np.float32))


def test_an_npz_file_holds_arrays_by_input_name(tmp_path: Path) -> None:
    save(tmp_path, "a.npz")
    tensors = open_folder(tmp_path)[0].tensors
    assert isinstance(tensors, dict)
    assert sorted(tensors) == ["a", "b", "mask"]


def test_class_folders_are_labels(tmp_path: Path) -> None:
    save(tmp_path, "dog/1.npy", "cat/1.npy")
    assert labels_of(tmp_path) == {"cat/1.npy": 0, "dog/1.npy": 1}
    (tmp_path / "order.txt").write_text("dog\ncat\n")
    assert labels_of(tmp_path, labels="order.txt") == {"cat/1.npy": 1, "dog/1.npy": 0}


def test_a_csv_table_gives_integers_numbers_and_texts(tmp_path: Path) -> None:
    save(tmp_path, "1.npy", "in/2.npy", "in/3.npy")
    (tmp_path / "labels.csv").write_text('file,label\n1.npy,7\nin/2.npy,0.5\nin/3.npy,"one, two"\nabsent.npy,1\n')
    assert labels_of(tmp_path, labels="labels.csv") == {"1.npy": 7, "in/2.npy": 0.5, "in/3.npy": "one, two"}


def test_a_json_object_gives_lists_too(tmp_path: Path) -> None:
    save(tmp_path, "1.npy", "2.npy")
    (tmp_path / "labels.json").write_text(json.dumps({"1.npy": [[1, 2]], "2.npy": "two"}))
    assert labels_of(tmp_path, labels="labels.json") == {"1.npy": [[1, 2]], "2.npy": "two"}


def test_an_array_of_the_file_may_be_its_label_and_is_no_input_then(tmp_path: Path) -> None:
    save(tmp_path, "1.npz")
    sample = open_folder(tmp_path, label_key="mask")[0]
    np.testing.assert_array_equal(sample.label, np.zeros((2, 2)))
    assert sorted(sample.tensors) == ["a", "b"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("file,label\n1.npy\n", "line 2 is"),
        ("file,label\n1.npy,1\n1.npy,2\n", "line 3 names '1.npy' again"),
        ("file,label\n1.npi,1\n", "has no label for '1.npy'; did you mean '1.npi'"),
    ],
)
def test_a_table_that_does_not_fit_is_refused(content: str, message: str, tmp_path: Path) -> None:
    save(tmp_path, "1.npy")
    (tmp_path / "labels.csv").write_text(content)
    with pytest.raises(DatasetError, match=message) as caught:
        labels_of(tmp_path, labels="labels.csv")
    assert caught.value.where == str(tmp_path / "labels.csv")


@pytest.mark.parametrize("content", ["[1]", "{", ""])
def test_a_json_file_of_another_form_is_refused(content: str, tmp_path: Path) -> None:
    save(tmp_path, "1.npy")
    (tmp_path / "labels.json").write_text(content)
    with pytest.raises(DatasetError, match="holds no labels"):
        open_folder(tmp_path, labels="labels.json")


@pytest.mark.parametrize("name", ["1.npy", "1.npz"])
def test_pickled_objects_are_never_loaded(name: str, tmp_path: Path) -> None:
    (tmp_path / "arrays").mkdir()
    save_objects: Any = np.save if name.endswith("npy") else np.savez
    save_objects(tmp_path / "arrays" / name, np.array([{"a": 1}], object))
    with pytest.raises(DatasetError, match="allow_pickle=False") as caught:
        open_folder(tmp_path)[0]
    assert caught.value.where == str(tmp_path / "arrays" / name)


@pytest.mark.parametrize("name", ["1.npy", "1.npz"])
def test_a_damaged_file_is_named(name: str, tmp_path: Path) -> None:
    save(tmp_path, name)
    path = tmp_path / "arrays" / name
    whole = path.read_bytes()
    for damaged in (b"", whole[:40], whole[:-30], b"x" + whole[1:]):
        path.write_bytes(damaged)
        with pytest.raises(DatasetError, match="is not a readable NumPy file") as caught:
            open_folder(tmp_path)[0]
        assert caught.value.where == str(path)


def test_an_absent_label_array_is_answered_with_the_nearest(tmp_path: Path) -> None:
    save(tmp_path, "1.npz")
    with pytest.raises(DatasetError, match="holds no array 'mas'; did you mean 'mask'"):
        open_folder(tmp_path, label_key="mas")[0]


def test_two_kinds_of_label_at_once_are_refused(tmp_path: Path) -> None:
    save(tmp_path, "1.npz")
    with pytest.raises(DatasetError, match="`labels` or `label_key`"):
        open_folder(tmp_path, labels="x.csv", label_key="mask")


def test_an_absent_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="there is no such folder"):
        open_folder(tmp_path)
