"""The dataset `tfrecord`: what TensorFlow wrote is read without it, and every damage is named by file and record."""

from __future__ import annotations

import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from recipekit.contracts import DatasetContext
from recipekit.errors import DatasetError
from recipekit.worker.datasets.tfrecord import TFRecordDataset
from tests.built_models import built_once
from tests.worker.tfrecords import example, framed, write

NUMBERS = {"x": {"dtype": "float32", "shape": [2]}, "y": {"dtype": "int64"}}


def opened(root: Path, **params: Any) -> TFRecordDataset:
    return TFRecordDataset(DatasetContext(root, 0), **{"path": "data", "features": NUMBERS, "label_key": "y", **params})


def record(index: int) -> bytes:
    return example(x=[float(index), 0.5], y=[index])


@pytest.mark.tensorflow
@pytest.mark.parametrize("compression", [None, "GZIP", "ZLIB"])
def test_what_tensorflow_wrote_is_read(compression: str | None, tmp_path_factory: pytest.TempPathFactory) -> None:
    features = {
        "x": {"dtype": "float32", "shape": [3]},
        "label": {"dtype": "int64"},
        "name": {"dtype": "string"},
        "image": {"decode": "image"},
        "raw": {"decode": "raw", "dtype": "uint8", "shape": [9, 7, 3]},
    }
    path = f"{compression or 'plain'}.tfrecord"
    root = built_once("tfrecords", tmp_path_factory)
    dataset = opened(root, path=path, features=features, label_key="label", compression=compression)
    samples = [dataset[index] for index in range(len(dataset))]
    assert [(sample.id, sample.label) for sample in samples] == [(f"{path}:{n}", n) for n in range(3)]
    for index, sample in enumerate(samples):
        assert isinstance(sample.tensors, dict)
        np.testing.assert_array_equal(sample.tensors["x"], np.array([index + 0.25, -index, 1e-3], np.float32))
        assert sample.tensors["name"].item() == f"größe {index}"
        assert sample.tensors["image"].shape == (9, 7, 3)
        np.testing.assert_array_equal(sample.tensors["image"], sample.tensors["raw"])


def test_files_come_in_the_order_of_their_names(tmp_path: Path) -> None:
    write(tmp_path / "data" / "b.tfrecord", record(2))
    write(tmp_path / "data" / "a.tfrecord", record(0), record(1))
    write(tmp_path / "data" / "0-empty.tfrecord")
    write(tmp_path / "data" / ".hidden", record(9))
    for path in ("data", "data/*.tfrecord"):
        dataset = opened(tmp_path, path=path)
        ids = [(dataset[index].id, dataset[index].label) for index in range(len(dataset))]
        assert ids == [("a.tfrecord:0", 0), ("a.tfrecord:1", 1), ("b.tfrecord:0", 2)]
    assert len(opened(tmp_path, path="data/b.tfrecord")) == 1


def test_inputs_are_named_for_the_model(tmp_path: Path) -> None:
    write(tmp_path / "data" / "a", record(3))
    sample = opened(tmp_path, inputs={"point": "x", "number": "y"}, label_key=None)[0]
    assert sample.label is None
    assert isinstance(sample.tensors, dict)
    assert sorted(sample.tensors) == ["number", "point"]


def test_a_length_may_vary(tmp_path: Path) -> None:
    write(tmp_path / "data" / "a", example(x=[1.0, 2.0, 3.0, 4.0]), example(x=[1.0, 2.0]))
    dataset = opened(tmp_path, features={"x": {"dtype": "float32", "shape": [-1, 2]}}, label_key=None)
    assert [dict(dataset[index].tensors)[""].shape for index in range(2)] == [(2, 2), (1, 2)]


@pytest.mark.parametrize("at", [0, 9, 14, -3])
def test_a_damaged_record_is_named_by_file_and_number(at: int, tmp_path: Path) -> None:
    """At: a byte of its length, of its length's checksum, of its bytes, of their checksum."""
    path = write(tmp_path / "data" / "a", record(0), record(1))
    start = len(framed(record(0)))
    data = bytearray(path.read_bytes())
    data[at + (start if at >= 0 else 0)] ^= 4
    path.write_bytes(data)
    with pytest.raises(DatasetError, match=r"differs? from (its|their) checksum") as caught:
        opened(tmp_path)[1]
    assert caught.value.where == f"{path} record 1"


@pytest.mark.parametrize("length", [5, 13, -1])
def test_a_file_that_is_cut_off_is_refused_at_once(length: int, tmp_path: Path) -> None:
    path = write(tmp_path / "data" / "a", record(0), record(1))
    whole = path.read_bytes()
    path.write_bytes(whole[: len(framed(record(0))) + length] if length > 0 else whole[:length])
    with pytest.raises(DatasetError, match="is cut off: the file ends inside it") as caught:
        opened(tmp_path)
    assert caught.value.where == f"{path} record 1"


def test_a_compressed_file_may_hold_nothing(tmp_path: Path) -> None:
    write(tmp_path / "data" / "a").write_bytes(zlib.compress(b""))
    assert len(opened(tmp_path, compression="ZLIB")) == 0
    (tmp_path / "data" / "a").write_bytes(zlib.compress(framed(record(0)))[:-5])
    with pytest.raises(DatasetError, match="can't be unpacked: it is cut off"):
        opened(tmp_path, compression="ZLIB")


def test_a_wrong_compression_is_found_at_once(tmp_path: Path) -> None:
    write(tmp_path / "data" / "a", record(0))
    with pytest.raises(DatasetError, match="can't be unpacked"):
        opened(tmp_path, compression="GZIP")
    (tmp_path / "data" / "a").write_bytes(b"\x1f\x8b\x08" + bytes(60))
    with pytest.raises(DatasetError, match="is damaged") as caught:
        opened(tmp_path)
    assert "compression" in caught.value.fix


@pytest.mark.parametrize(
    ("features", "message"),
    [
        ({"x": {"dtype": "float32", "shape": [3]}}, "'x' can't be read: cannot reshape array of size 2"),
        ({"x": {"dtype": "int64", "shape": [2]}}, "'x' can't be read: it holds floats, not int64"),
        ({"x": {"dtype": "string", "shape": [2]}}, "it holds 2 values of floats, not string"),
        ({"x": {"decode": "image"}}, "it holds 2 values of floats, not one value of bytes"),
        ({"y": {"dtype": "int8"}}, "values from 300 to 300 don't fit int8"),
        ({"z": {"dtype": "float32"}}, "it has no feature 'z'"),
        ({"text": {"decode": "image"}}, "'text' can't be read: cannot identify image"),
        ({"text": {"dtype": "float32"}}, "it holds 1 values of bytes, not float32"),
    ],
)
def test_a_feature_that_does_not_fit_is_named_with_its_record(
    features: dict[str, Any], message: str, tmp_path: Path
) -> None:
    path = write(tmp_path / "data" / "a", example(x=[1.0, 2.0], y=[300], text=[b"abc"]))
    with pytest.raises(DatasetError, match=message) as caught:
        opened(tmp_path, features=features, label_key=None)[0]
    assert caught.value.where == f"{path} record 0"


def test_a_record_of_something_else_is_named(tmp_path: Path) -> None:
    write(tmp_path / "data" / "a", b"\xff\xff\xff")
    with pytest.raises(DatasetError, match=r"it is no tf.train.Example"):
        opened(tmp_path)[0]


@pytest.mark.parametrize(
    "params",
    [
        {"features": {"x": {"dtype": "float31"}}},
        {"features": {"x": {}}},
        {"features": {"x": {"decode": "raw"}}},
        {"features": {"x": {"decode": "image", "dtype": "float32"}}},
        {"label_key": "z"},
        {"inputs": {"point": "xx"}},
        {"compression": "BZIP2"},
        {"path": "absent"},
    ],
    ids=str,
)
def test_parameters_that_do_not_fit_are_refused(params: dict[str, Any], tmp_path: Path) -> None:
    write(tmp_path / "data" / "a", record(0))
    with pytest.raises(DatasetError):
        opened(tmp_path, **params)


def test_reading_does_without_tensorflow(tmp_path: Path) -> None:
    write(tmp_path / "data" / "a", record(5))
    program = (
        "import sys; from pathlib import Path; from recipekit.contracts import DatasetContext;"
        "from recipekit.worker.datasets.tfrecord import TFRecordDataset as T;"
        f"d = T(DatasetContext(Path({str(tmp_path)!r}), 0), path='data', features={NUMBERS!r}, label_key='y');"
        "assert d[0].label == 5; assert 'tensorflow' not in sys.modules"
    )
    child = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert child.returncode == 0, child.stderr
