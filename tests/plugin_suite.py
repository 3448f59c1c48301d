"""What every dataset of the registry needs to go through the shared life-cycle test: one row each."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image
from scipy.io import wavfile

from tests.worker.prepared_datasets import tensor_feature, write_prepared
from tests.worker.tfrecords import example, write

COUNT = 48


class Row(NamedTuple):
    """One dataset in the suite.

    Attributes:
        prepare: writes what the dataset reads into a project root and gives its parameters.
        length: how many samples there are then.
    """

    prepare: Callable[[Path], dict[str, Any]]
    length: int


def _rows(count: int, *shape: int) -> np.ndarray[Any, Any]:
    return np.random.default_rng(0).random((count, *shape), dtype=np.float32)


def _npz(root: Path) -> dict[str, Any]:
    np.savez_compressed(root / "data.npz", x=_rows(COUNT, 120, 120), labels=np.arange(COUNT))
    return {"path": "data.npz"}


def _image_folder(root: Path) -> dict[str, Any]:
    for index in range(COUNT):
        folder = root / "images" / "ab"[index % 2]
        folder.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (160, 150), (index, 0, 0)).save(folder / f"{index}.png")
    return {"path": "images"}


def _csv(root: Path) -> dict[str, Any]:
    rows = _rows(20 * COUNT, 50)
    header = ",".join(f"c{column}" for column in range(rows.shape[1]))
    np.savetxt(root / "data.csv", rows, delimiter=",", header=header, comments="")
    return {"path": "data.csv"}


def _digits(root: Path) -> dict[str, Any]:
    return {}


def _python(root: Path) -> dict[str, Any]:
    (root / "suite_data.py").write_text(
        "import numpy as np\n"
        "class Rows:\n"
        f"    def __len__(self): return {COUNT}\n"
        "    def __getitem__(self, index): return np.full((120, 120), index, np.float32), index\n"
    )
    return {"factory": "suite_data.py:Rows"}


def _random(root: Path) -> dict[str, Any]:
    return {"inputs": {"x": [120, 120]}, "count": COUNT}


def _numpy_folder(root: Path) -> dict[str, Any]:
    (root / "arrays").mkdir()
    for index, row in enumerate(_rows(COUNT, 120, 120)):
        np.savez(root / "arrays" / f"{index}.npz", x=row, label=np.array(index))
    return {"path": "arrays", "label_key": "label"}


def _wav_folder(root: Path) -> dict[str, Any]:
    for index, sound in enumerate(_rows(COUNT, 15000)):
        folder = root / "sounds" / "ab"[index % 2]
        folder.mkdir(parents=True, exist_ok=True)
        wavfile.write(folder / f"{index}.wav", 16000, sound)
    return {"path": "sounds"}


def _tfrecord(root: Path) -> dict[str, Any]:
    records = [example(x=row.ravel().tolist(), y=[index]) for index, row in enumerate(_rows(COUNT, 60, 60))]
    for file in range(2):
        write(root / "records" / f"{file}.tfrecord", *records[file::2])
    features = {"x": {"dtype": "float32", "shape": [60, 60]}, "y": {"dtype": "int64"}}
    return {"path": "records", "features": features, "label_key": "y"}


def _tfds(root: Path) -> dict[str, Any]:
    records = [example(x=row.ravel().tolist(), label=[index]) for index, row in enumerate(_rows(COUNT, 60, 60))]
    write_prepared(
        root / "prepared", {"x": tensor_feature("float32", 60, 60), "label": tensor_feature("int64")}, records
    )
    return {"name": "tiny", "data_dir": "prepared", "label_key": "label"}


def _huggingface(root: Path) -> dict[str, Any]:
    import datasets  # noqa: PLC0415  # takes seconds

    columns = {"x": list(_rows(COUNT, 60, 60)), "label": list(range(COUNT))}
    kinds = datasets.Features({"x": datasets.Array2D((60, 60), "float32"), "label": datasets.Value("int64")})
    datasets.disable_progress_bars()
    datasets.Dataset.from_dict(columns, kinds).save_to_disk(str(root / "saved"))
    return {"path": "saved", "label_key": "label"}


ROWS = {
    "npz": Row(_npz, COUNT),
    "image_folder": Row(_image_folder, COUNT),
    "csv": Row(_csv, 20 * COUNT),
    "digits": Row(_digits, 500),
    "python": Row(_python, COUNT),
    "random": Row(_random, COUNT),
    "numpy_folder": Row(_numpy_folder, COUNT),
    "wav_folder": Row(_wav_folder, COUNT),
    "tfrecord": Row(_tfrecord, COUNT),
    "tfds": Row(_tfds, COUNT),
    "huggingface": Row(_huggingface, COUNT),
}
