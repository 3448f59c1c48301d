"""Golden vectors for Python: an archive of arrays with the same bytes each time, and a test that reads it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any
from zipfile import ZIP_STORED, ZipFile, ZipInfo

import numpy as np
import numpy.typing as npt

from recipekit.worker.golden.vectors import Tensor, Vector

_UNIX = 3  # what zipfile would otherwise take from the system


def write(vectors: Sequence[Vector], folder: Path) -> tuple[Path, Path]:
    """Writes `golden_vectors.npz` and `test_golden_vectors.py`.

    The archive holds `<number>/inputs/<name>` and `<number>/outputs/<name>` for each vector, and `index`, a JSON text
    that lists them with their sample, signature, positions and quantization. Members aren't compressed and have no
    time, so that the bytes depend on the arrays alone.

    Args:
        vectors: what to write.
        folder: where to.
    """
    archive, test = folder / "golden_vectors.npz", folder / "test_golden_vectors.py"
    with ZipFile(archive, "w", ZIP_STORED) as members:
        _add(members, "index", np.array(json.dumps(list(_index(vectors)), sort_keys=True)))
        for number, vector in enumerate(vectors):
            for kind, tensor in _tensors(vector):
                _add(members, _key(number, kind, tensor), tensor.array)
    shutil.copyfile(Path(__file__).with_name("generated_test.py"), test)
    return archive, test


def _tensors(vector: Vector) -> Iterable[tuple[str, Tensor]]:
    return [("inputs", tensor) for tensor in vector.inputs] + [("outputs", tensor) for tensor in vector.outputs]


def _index(vectors: Sequence[Vector]) -> Iterator[dict[str, Any]]:
    for number, vector in enumerate(vectors):
        entry: dict[str, Any] = {"sample": vector.sample, "signature": vector.signature, "inputs": [], "outputs": []}
        for kind, tensor in _tensors(vector):
            described = {"name": tensor.name, "position": tensor.position, "array": _key(number, kind, tensor)}
            quantization = {"scale": tensor.scale, "zero_point": tensor.zero_point} if tensor.scale else {}
            entry[kind].append({**described, **quantization})
        yield entry


def _key(number: int, kind: str, tensor: Tensor) -> str:
    return f"{number}/{kind}/{tensor.name}"


def _add(members: ZipFile, name: str, array: npt.NDArray[Any]) -> None:
    info = ZipInfo(f"{name}.npy")
    info.create_system = _UNIX
    little = array.astype(array.dtype.newbyteorder("<"), copy=False)
    with members.open(info, "w", force_zip64=True) as stream:
        np.lib.format.write_array(stream, np.ascontiguousarray(little) if little.ndim else little, allow_pickle=False)
