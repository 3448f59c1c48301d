"""Datasets that a server on this machine gives, and one prepared as Parquet: `python hosted_datasets.py FOLDER`.

It runs in a child process, because TensorFlow Datasets downloads with TensorFlow imported, and writes what it saw to
`FOLDER/seen.json`.
"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow_datasets as tfds

from recipekit.contracts import DatasetContext
from recipekit.errors import DatasetError
from recipekit.worker.datasets.tfds import TfdsDataset

asked: list[str] = []
address: list[str] = []


class Handler(SimpleHTTPRequestHandler):
    """Serves a folder, and remembers what it was asked for."""

    def log_request(self, code: Any = "-", size: Any = "-") -> None:
        asked.append(self.path)


class HostedDigits(tfds.core.GeneratorBasedBuilder):  # type: ignore[misc]  # it is not typed
    """Vectors and their classes from one `.npz` file on the server."""

    VERSION = tfds.core.Version("1.0.0")

    def _info(self) -> Any:
        features = {
            "x": tfds.features.Tensor(shape=(3,), dtype=np.float32),
            "y": tfds.features.ClassLabel(num_classes=2),
        }
        return tfds.core.DatasetInfo(
            builder=self, features=tfds.features.FeaturesDict(features), supervised_keys=("x", "y")
        )

    def _split_generators(self, dl_manager: Any) -> dict[str, Iterator[Any]]:
        return {"test": self._generate_examples(dl_manager.download(f"{address[0]}/digits.npz"))}

    def _generate_examples(self, path: Any) -> Iterator[tuple[int, dict[str, Any]]]:
        with Path(path).open("rb") as stream, np.load(stream) as arrays:
            for index, (x, y) in enumerate(zip(arrays["x"], arrays["y"], strict=True)):
                yield index, {"x": x, "y": int(y)}


def rows(folder: Path, data_dir: str, download: bool) -> list[tuple[list[float], int]]:
    """All samples of a dataset, sorted."""
    dataset = TfdsDataset(DatasetContext(folder, 0), name="hosted_digits", data_dir=data_dir, download=download)
    samples = [dataset[index] for index in range(len(dataset))]
    return sorted((np.asarray(sample.tensors[""]).tolist(), int(sample.label)) for sample in samples)


def main(folder: Path) -> None:
    """Downloads, prepares Parquet, reads again, and downloads what is gone."""
    served = folder / "served"
    served.mkdir()
    x = np.arange(21, dtype=np.float32).reshape(7, 3)
    np.savez(served / "digits.npz", x=x, y=np.arange(7) % 2)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(served)))
    address.append(f"http://127.0.0.1:{server.server_port}")
    threading.Thread(target=server.serve_forever, daemon=True).start()
    seen: dict[str, Any] = {"downloaded": rows(folder, "downloaded", True), "asked": list(asked)}
    HostedDigits(data_dir=str(folder / "parquet"), file_format="parquet").download_and_prepare()
    seen["parquet"] = rows(folder, "parquet", False)
    seen["files"] = sorted(path.suffix or path.name for path in (folder / "parquet").rglob("*test*"))
    asked.clear()
    seen["again"] = rows(folder, "downloaded", True)
    seen["asked again"] = list(asked)
    (served / "digits.npz").unlink()
    try:
        rows(folder, "elsewhere", True)
    except DatasetError as error:
        seen["refused"] = [error.what, error.where, error.fix]
    (folder / "seen.json").write_text(json.dumps(seen))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
