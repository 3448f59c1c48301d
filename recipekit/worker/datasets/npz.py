"""Arrays of an `.npz` file, one array per model input, the first axis being the samples.

Nothing is held in memory: an uncompressed array is mapped where it stands in the file, a compressed one is unpacked
into an unnamed temporary file and mapped there.
"""

from __future__ import annotations

import math
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from recipekit.contracts import DatasetContext, Sample
from recipekit.errors import DatasetError
from recipekit.nearest import did_you_mean
from recipekit.worker.mapped_file import MappedFile
from recipekit.worker.named_path import require_file

_LOCAL_HEADER = 30
_DEFAULT_LABELS = "labels"


class NpzDataset:
    """The samples of an `.npz` file; the id of a sample is its row.

    Args:
        context: where a relative path starts.
        path: the file, as `numpy.savez` or `numpy.savez_compressed` writes it.
        label_key: the array that holds the labels, or such arrays by the model's output; a file without `labels` has
            none.

    Raises:
        DatasetError: the file is unreadable, holds pickled objects, or its arrays differ in their first axis.
    """

    def __init__(
        self, context: DatasetContext, *, path: str, label_key: str | dict[str, str] = _DEFAULT_LABELS
    ) -> None:
        self._path = context.root / path
        require_file(self._path)
        with _reading(self._path), self._path.open("rb") as stream, zipfile.ZipFile(stream) as archive:
            whole = MappedFile(stream)
            arrays = {info.filename.removesuffix(".npy"): _map(archive, info, whole) for info in archive.infolist()}
        keys = label_key if isinstance(label_key, dict) else {"": label_key}
        missing = next((key for key in keys.values() if key not in arrays and label_key != _DEFAULT_LABELS), None)
        if missing is not None:
            raise DatasetError(
                f"holds no array '{missing}'{did_you_mean(missing, arrays)}",
                where=str(self._path),
                fix=f"set `label_key` to one of {', '.join(arrays)}",
            )
        self._labels = {output: arrays[key] for output, key in keys.items() if key in arrays}
        self._inputs = {name: array for name, array in arrays.items() if name not in keys.values()}
        self._length = self._common_length(arrays)

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, index: int) -> Sample:
        tensors = {name: array.row(index) for name, array in self._inputs.items()}
        labels = {output: array.row(index)[()] for output, array in self._labels.items()}
        return Sample(str(index), tensors, labels.get("", labels or None))

    def _common_length(self, arrays: Mapping[str, _MappedArray]) -> int:
        if not self._inputs:
            raise DatasetError(
                "holds no array besides labels", where=str(self._path), fix="store one array for each input"
            )
        flat = [name for name, array in arrays.items() if not array.shape]
        if flat:
            raise DatasetError(
                f"the array '{flat[0]}' is a single value, so it has no samples",
                where=str(self._path),
                fix="store arrays whose first axis is the samples",
            )
        lengths = {name: array.shape[0] for name, array in arrays.items()}
        if len(set(lengths.values())) > 1:
            raise DatasetError(
                "arrays differ in the number of samples: " + ", ".join(f"{name} {n}" for name, n in lengths.items()),
                where=str(self._path),
                fix="store the same number of rows in every array",
            )
        return next(iter(lengths.values()))


def heads(path: Path) -> dict[str, tuple[np.dtype[Any], tuple[int, ...]]]:
    """Element type and shape of every array of a file, by name; no value is read.

    Raises:
        DatasetError: the file is unreadable, or holds pickled objects.
    """
    found = {}
    with _reading(path), zipfile.ZipFile(path) as archive:
        for info in archive.infolist():
            with archive.open(info) as member:
                header = _read_header(member)
            found[info.filename.removesuffix(".npy")] = (header.dtype, header.shape)
    return found


class _Header(NamedTuple):
    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    fortran: bool
    size: int


class _MappedArray:
    """An array that stays in its file; `row` copies one entry of the first axis."""

    def __init__(self, file: MappedFile, header: _Header, start: int) -> None:
        order: Literal["C", "F"] = "F" if header.fortran else "C"
        self.shape = header.shape
        self._file = file
        self._array = np.ndarray(header.shape, header.dtype, file.data, start + header.size, order=order)
        # In Fortran's order the entries of a row lie scattered over the whole array.
        self._span = self._array.nbytes if header.fortran else self._array.nbytes // max(1, math.prod(header.shape[:1]))

    def row(self, index: int) -> npt.NDArray[Any]:
        row = np.array(self._array[index])
        self._file.note_read(self._span)
        return row


def _map(archive: zipfile.ZipFile, info: zipfile.ZipInfo, whole: MappedFile) -> _MappedArray:
    """A member as it lies in the mapped archive, or unpacked."""
    with archive.open(info) as member:
        header = _read_header(member)
    expected = header.size + header.dtype.itemsize * math.prod(header.shape)
    if expected != info.file_size:
        raise ValueError(f"'{info.filename}' has {info.file_size} bytes, but its header says {expected}")
    if info.compress_type == zipfile.ZIP_STORED:
        return _MappedArray(whole, header, _data_offset(whole, info))
    with tempfile.TemporaryFile() as unpacked, archive.open(info) as member:
        shutil.copyfileobj(member, unpacked)
        unpacked.flush()
        return _MappedArray(MappedFile(unpacked), header, 0)


def _read_header(member: IO[bytes]) -> _Header:
    version = np.lib.format.read_magic(member)
    if version == (1, 0):
        shape, fortran, dtype = np.lib.format.read_array_header_1_0(member)
    elif version == (2, 0):
        shape, fortran, dtype = np.lib.format.read_array_header_2_0(member)
    else:
        raise ValueError(f"the array format {version} holds no plain arrays")
    if dtype.hasobject:
        raise ValueError("it holds pickled Python objects, which are never loaded")
    return _Header(dtype, shape, fortran, member.tell())


def _data_offset(archive: MappedFile, info: zipfile.ZipInfo) -> int:
    """Where a stored member's bytes begin: its local header has its own lengths of name and extra field."""
    header = archive.data[info.header_offset : info.header_offset + _LOCAL_HEADER]
    lengths = (header[26:28], header[28:30])
    return info.header_offset + _LOCAL_HEADER + sum(int.from_bytes(length, "little") for length in lengths)


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError, TypeError, RuntimeError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise DatasetError(
            f"is not a readable .npz file: {error}",
            where=str(path),
            fix="write it with numpy.savez or numpy.savez_compressed, arrays of numbers or strings only",
        ) from error
