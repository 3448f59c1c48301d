"""The dataset `npz`: arrays by input name, mapped rather than loaded."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from recipekit.contracts import DatasetContext
from recipekit.errors import DatasetError
from recipekit.worker.datasets.npz import NpzDataset

Save = Callable[..., None]
BOTH = pytest.mark.parametrize("save", [np.savez, np.savez_compressed])


def open_npz(folder: Path, **params: Any) -> NpzDataset:
    return NpzDataset(DatasetContext(folder, 0), path="data.npz", **params)


@BOTH
@pytest.mark.parametrize("dtype", ["float32", ">f8", "uint8", "bool", "<U3"])
def test_samples_are_the_rows_of_every_array(save: Save, dtype: str, tmp_path: Path) -> None:
    a = np.arange(24).reshape(4, 3, 2).astype(dtype)
    b = np.asfortranarray(a[:, :, 0])
    save(tmp_path / "data.npz", a=a, b=b, labels=np.array([3, 1, 2, 0]))
    dataset = open_npz(tmp_path)
    assert len(dataset) == 4
    for index in range(4):
        sample = dataset[index]
        assert isinstance(sample.tensors, dict)
        assert sorted(sample.tensors) == ["a", "b"]
        np.testing.assert_array_equal(sample.tensors["a"], a[index])
        np.testing.assert_array_equal(sample.tensors["b"], b[index])
        assert (sample.id, sample.label) == (str(index), [3, 1, 2, 0][index])


@pytest.mark.slow
@BOTH
@pytest.mark.parametrize("order", ["C", "F"])
def test_neither_heap_nor_resident_memory_holds_the_arrays(save: Save, order: Any, tmp_path: Path) -> None:
    save(tmp_path / "data.npz", a=np.zeros((64, 2**18), np.float32, order=order))  # 64 MiB
    dataset = open_npz(tmp_path)
    before = psutil.Process().memory_info().rss
    for index in range(0, 64, 1 if order == "C" else 16):
        dataset[index]
    assert psutil.Process().memory_info().rss - before < 32 * 2**20


def test_a_sample_does_not_point_into_the_file(tmp_path: Path) -> None:
    np.savez(tmp_path / "data.npz", a=np.zeros((4, 3)))
    tensors = open_npz(tmp_path)[0].tensors
    assert isinstance(tensors, dict)
    assert tensors["a"].base is None


def test_labels_may_have_another_name_or_be_missing(tmp_path: Path) -> None:
    np.savez(tmp_path / "data.npz", a=np.zeros((2, 3)), y=np.array([5, 6]))
    named = open_npz(tmp_path, label_key="y")[1]
    assert (list(named.tensors), named.label) == (["a"], 6)
    unnamed = open_npz(tmp_path)[1]
    assert (list(unnamed.tensors), unnamed.label) == (["a", "y"], None)


def test_each_output_of_a_model_may_have_labels_of_its_own(tmp_path: Path) -> None:
    np.savez(tmp_path / "data.npz", a=np.zeros((2, 3)), kind=np.array([5, 6]), size=np.array([0.5, 0.25]))
    sample = open_npz(tmp_path, label_key={"first": "kind", "second": "size"})[1]
    assert (list(sample.tensors), sample.label) == (["a"], {"first": 6, "second": 0.25})
    with pytest.raises(DatasetError, match="no array 'sizes'; did you mean 'size'"):
        open_npz(tmp_path, label_key={"first": "kind", "second": "sizes"})


def test_a_label_may_be_an_array(tmp_path: Path) -> None:
    np.savez(tmp_path / "data.npz", a=np.zeros((2, 3)), labels=np.eye(2))
    np.testing.assert_array_equal(open_npz(tmp_path)[1].label, [0, 1])


@BOTH
def test_an_array_without_rows_is_an_empty_dataset(save: Save, tmp_path: Path) -> None:
    save(tmp_path / "data.npz", a=np.zeros((0, 3)))
    assert len(open_npz(tmp_path)) == 0


@pytest.mark.parametrize(
    ("arrays", "params", "message"),
    [
        ({"a": np.zeros((2, 3)), "b": np.zeros((3, 3))}, {}, "a 2, b 3"),
        ({"a": np.zeros((2, 3)), "labels": np.zeros(3)}, {}, "a 2, labels 3"),
        ({"a": np.float32(1)}, {}, "'a' is a single value"),
        ({"labels": np.zeros(3)}, {}, "no array besides labels"),
        ({"a": np.zeros(3), "targets": np.zeros(3)}, {"label_key": "target"}, "did you mean 'targets'"),
        ({"a": np.array([{}, []], dtype=object)}, {}, "pickled Python objects"),
    ],
)
def test_arrays_that_make_no_samples_are_refused(
    arrays: dict[str, Any], params: dict[str, Any], message: str, tmp_path: Path
) -> None:
    np.savez(tmp_path / "data.npz", **arrays)
    with pytest.raises(DatasetError, match=message) as caught:
        open_npz(tmp_path, **params)
    assert caught.value.where == str(tmp_path / "data.npz")


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="there is no such file"):
        open_npz(tmp_path)


@BOTH
def test_a_truncated_file_is_an_error(save: Save, tmp_path: Path) -> None:
    save(tmp_path / "data.npz", a=np.random.default_rng(0).random((50, 3)))
    data = (tmp_path / "data.npz").read_bytes()
    for length in range(0, len(data), 101):
        (tmp_path / "data.npz").write_bytes(data[:length])
        with pytest.raises(DatasetError, match="not a readable"):
            open_npz(tmp_path)


def test_a_damaged_compressed_array_is_an_error(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "data.npz", a=np.random.default_rng(0).random((50, 3)))
    data = bytearray((tmp_path / "data.npz").read_bytes())
    data[600] ^= 0xFF
    (tmp_path / "data.npz").write_bytes(data)
    with pytest.raises(DatasetError, match="not a readable"):
        open_npz(tmp_path)


def test_a_header_that_promises_more_than_there_is_is_an_error(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.zeros((10, 3)))
    data = (tmp_path / "a.npy").read_bytes().replace(b"(10, 3)", b"(99, 3)")
    with zipfile.ZipFile(tmp_path / "data.npz", "w") as archive:
        archive.writestr("a.npy", data)
        archive.writestr("padding.npy", bytes(10_000))
    with pytest.raises(DatasetError, match="its header says"):
        open_npz(tmp_path)


def test_a_member_that_is_no_array_is_an_error(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "data.npz", "w") as archive:
        archive.writestr("readme.txt", "hello, this is not an array")
    with pytest.raises(DatasetError, match="not a readable"):
        open_npz(tmp_path)
