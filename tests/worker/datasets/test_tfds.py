"""The dataset `tfds`: what TensorFlow Datasets prepared is read in both formats, without TensorFlow."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from recipekit.contracts import DatasetContext
from recipekit.errors import DatasetError, EnvironmentFault
from recipekit.worker.datasets.tfds import TfdsDataset
from tests.built_models import built_once
from tests.worker.prepared_datasets import tensor_feature, write_prepared
from tests.worker.tfrecords import example


def opened(root: Path, **params: Any) -> TfdsDataset:
    return TfdsDataset(DatasetContext(root, 0), **{"name": "tiny", "data_dir": "data", **params})


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    records = [example(x=[float(index), 0.5], label=[index]) for index in range(5)]
    features = {"x": tensor_feature("float32", 2), "label": tensor_feature("int64")}
    write_prepared(tmp_path / "data", features, records, supervised=True)
    return tmp_path


@pytest.mark.tensorflow
@pytest.mark.parametrize("file_format", ["tfrecord", "array_record"])
def test_what_was_prepared_is_read(file_format: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    root = built_once("prepared_datasets", tmp_path_factory)
    params: dict[str, Any] = {"name": "scenes", "data_dir": file_format}
    plain = opened(root, **params)
    labelled = opened(root, **params, inputs={"picture": "image"}, label_key=["objects/bbox", "objects/label"])
    texts = opened(root, **params, inputs={"": "image"}, label_key="text")
    assert len(plain) == 10
    seen = set()
    for index in range(10):
        sample = plain[index]
        image = sample.tensors[""]
        value = int(image[0, 0, 0])
        seen.add(value)
        assert (sample.id, sample.label) == (f"scenes/test:{index}", value % 2)
        np.testing.assert_array_equal(image, np.full((9, 7, 3), value, np.uint8))
        assert texts[index].label == f"größe {value}"
        boxes = np.asarray(labelled[index].label)
        expected = [[0, 0, 0.5, value / 10 + 0.05, value % 5]] * (value % 3)
        np.testing.assert_allclose(boxes, np.reshape(expected, boxes.shape), atol=1e-6)
    assert seen == set(range(10))


@pytest.mark.slow
def test_examples_come_in_the_order_of_the_shards(tiny: Path) -> None:
    dataset = opened(tiny)
    assert [dataset[index].label for index in range(len(dataset))] == [0, 1, 2, 3, 4]
    np.testing.assert_array_equal(dataset[3].tensors[""], np.array([3, 0.5], np.float32))


@pytest.mark.parametrize(("split", "labels"), [("test[1:4]", [1, 2, 3]), ("test[-1:]", [4]), ("test[:0]", [])])
def test_a_part_of_a_split_is_what_it_says(split: str, labels: list[int], tiny: Path) -> None:
    dataset = opened(tiny, split=split)
    assert [dataset[index].label for index in range(len(dataset))] == labels


def test_what_is_not_there_is_named_and_never_downloaded(tiny: Path) -> None:
    for name in ("tinny", "tiny:2.0.0", "mnist"):
        with pytest.raises(DatasetError, match="isn't prepared in") as caught:
            opened(tiny, name=name)
        assert caught.value.where == name
        assert "download: true" in caught.value.fix
    with pytest.raises(DatasetError, match=r"has no split 'tets'.*\['test'\]"):
        opened(tiny, split="tets")
    with pytest.raises(DatasetError, match="has no field 'lable'; did you mean 'label'") as caught:
        opened(tiny, label_key="lable")[2]
    assert caught.value.where == "tiny/test:2"


def test_a_damaged_record_is_named(tiny: Path) -> None:
    shard = tiny / "data" / "tiny" / "1.0.0" / "tiny-test.tfrecord-00001-of-00002"
    data = bytearray(shard.read_bytes())
    data[20] ^= 1
    shard.write_bytes(data)
    dataset = opened(tiny)
    assert dataset[1].label == 1
    with pytest.raises(DatasetError, match="differ from their checksum") as caught:
        dataset[2]
    assert caught.value.where == f"{shard} record 0"


def test_an_example_that_the_features_do_not_fit_is_named(tiny: Path) -> None:
    features = {"x": tensor_feature("float32", 7), "label": tensor_feature("int64")}
    write_prepared(tiny / "data", features, [example(x=[1.0], label=[0]), example(x=[1.0], label=[0])])
    with pytest.raises(DatasetError, match="can't be read") as caught:
        opened(tiny)[1]
    assert caught.value.where == "tiny/test:1"


def test_a_missing_package_is_answered_with_the_extra(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tensorflow_datasets", None)
    with pytest.raises(EnvironmentFault, match="'tfds' needs the package 'tensorflow_datasets'") as caught:
        opened(tiny)
    assert caught.value.fix == "pip install 'recipekit[tfds]'"


@pytest.fixture(scope="module")
def hosted(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a process saw that downloads from a server of this machine; see `tests/models/hosted_datasets.py`."""
    root = built_once("hosted_datasets", tmp_path_factory)
    seen: dict[str, Any] = json.loads((root / "seen.json").read_text())
    return seen


ROWS = [[[3.0 * index, 3.0 * index + 1, 3.0 * index + 2], index % 2] for index in range(7)]


@pytest.mark.tensorflow
def test_a_dataset_that_is_not_there_is_downloaded_once_if_the_recipe_allows_it(hosted: dict[str, Any]) -> None:
    assert hosted["downloaded"] == ROWS
    assert hosted["asked"] == ["/digits.npz"]
    assert hosted["again"] == ROWS
    assert hosted["asked again"] == []


@pytest.mark.tensorflow
def test_parquet_is_read_like_the_other_formats(hosted: dict[str, Any]) -> None:
    assert any("parquet" in file for file in hosted["files"])
    assert hosted["parquet"] == ROWS


@pytest.mark.tensorflow
def test_a_download_that_fails_is_a_typed_refusal_with_the_way_out(hosted: dict[str, Any]) -> None:
    what, where, fix = hosted["refused"]
    assert what.startswith("can't be downloaded and prepared: ")
    assert where == "hosted_digits"
    assert "`tfds build`" in fix
    assert "`data_dir`" in fix
