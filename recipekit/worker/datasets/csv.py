"""Rows of a CSV file: numbers from named columns.

Only the place of each row is held in memory; a row is parsed when it is asked for.
"""

from __future__ import annotations

import csv
from array import array
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress

import numpy as np

from recipekit.contracts import DatasetContext, Sample
from recipekit.errors import DatasetError
from recipekit.nearest import did_you_mean
from recipekit.worker.label_file import parse_label
from recipekit.worker.mapped_file import MappedFile
from recipekit.worker.named_path import require_file
from recipekit.worker.tensors import NUMERIC_TYPES, fits

_BOM = b"\xef\xbb\xbf"


class CsvDataset:
    """One sample a row of a UTF-8 file with a header line; its id is `line N`, where the row begins in the file.

    Args:
        context: where a relative path starts.
        path: the file.
        inputs: columns by input name; each input is a vector of them.
        columns: for a model with one input, its columns; without `inputs` and `columns` all but the label's.
        label: the label's column: integers, else numbers, else text.
        dtype: element type of the inputs.
        delimiter: one character between fields.

    Raises:
        DatasetError: the file is unreadable, a column is missing, or a row has another number of fields.
    """

    def __init__(
        self,
        context: DatasetContext,
        *,
        path: str,
        inputs: Mapping[str, Sequence[str]] | None = None,
        columns: Sequence[str] | None = None,
        label: str | None = None,
        dtype: str = "float32",
        delimiter: str = ",",
    ) -> None:
        self._path = context.root / path
        self._delimiter = delimiter
        if dtype not in NUMERIC_TYPES:
            raise DatasetError(
                f"there is no element type {dtype!r} for numbers{did_you_mean(dtype, NUMERIC_TYPES)}",
                where="csv",
                fix=f"use one of {', '.join(NUMERIC_TYPES)}",
            )
        if inputs is not None and columns is not None:
            raise DatasetError("takes `inputs` or `columns`, not both", where="csv", fix="leave one of them out")
        self._dtype = np.dtype(dtype)
        self._file = self._map()
        self._header, self._offsets, self._lines = self._index_rows()
        self._label = None if label is None else self._column(label)
        self._bare = inputs is None
        if inputs is None:
            chosen = [name for name in self._header if name != label] if columns is None else columns
            inputs = {"": chosen}
        self._inputs = {name: [self._column(column) for column in names] for name, names in inputs.items()}

    def __len__(self) -> int:
        return len(self._offsets)

    def __getitem__(self, index: int) -> Sample:
        line = self._lines[index]
        fields = next(csv.reader(_Lines(self._file, self._offsets[index]), delimiter=self._delimiter, strict=True))
        tensors = {
            name: np.array([self._number(fields[column], line, column) for column in columns], dtype=self._dtype)
            for name, columns in self._inputs.items()
        }
        label = None if self._label is None else self._parse_label(fields[self._label], line, self._label)
        return Sample(f"line {line}", tensors[""] if self._bare else tensors, label)

    def _map(self) -> MappedFile:
        require_file(self._path)
        try:
            with self._path.open("rb") as stream:
                return MappedFile(stream)
        except (OSError, ValueError) as error:  # an empty file can't be mapped
            raise DatasetError(
                f"can't be read: {error}", where=str(self._path), fix="give `path` a CSV file with a header line"
            ) from error

    def _index_rows(self) -> tuple[list[str], array[int], array[int]]:
        """The header's names, and where each row begins: byte offsets and line numbers."""
        lines = _Lines(self._file, len(_BOM) if self._file.data[: len(_BOM)] == _BOM else 0)
        reader = csv.reader(lines, delimiter=self._delimiter, strict=True)
        header: list[str] = []
        offsets, starts = array("Q"), array("Q")
        while True:
            offset, line = lines.position, reader.line_num + 1
            try:
                fields = next(reader)
            except StopIteration:
                return header, offsets, starts
            except (csv.Error, UnicodeDecodeError) as error:
                raise self._fault(
                    line, f"is not CSV in UTF-8: {error}", "save the file as CSV, text in UTF-8"
                ) from error
            if not header:
                header = self._check_header(fields)
            elif len(fields) == len(header):
                offsets.append(offset)
                starts.append(line)
            elif fields:
                raise self._fault(line, f"expected {len(header)} fields, got {len(fields)}", "correct the row")

    def _check_header(self, names: list[str]) -> list[str]:
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None or not names:
            what = "is empty" if twice is None else f"names the column '{twice}' twice"
            raise self._fault(1, f"the header {what}", "name each column once in the first line")
        return names

    def _column(self, name: str) -> int:
        if name not in self._header:
            raise DatasetError(
                f"has no column '{name}'{did_you_mean(name, self._header)}",
                where=str(self._path),
                fix=f"use columns of its header: {', '.join(self._header)}",
            )
        return self._header.index(name)

    def _number(self, text: str, line: int, column: int) -> float | int:
        value: float | int | None = None
        with suppress(ValueError):
            value = float(text) if self._dtype.kind == "f" else int(text)
        if value is None or "_" in text or not fits(value, self._dtype):
            raise self._fault(
                line, f"column '{self._header[column]}' holds {text!r}, which is not {self._dtype}", "correct the field"
            )
        return value

    def _parse_label(self, text: str, line: int, column: int) -> int | float | str:
        if not text.strip():
            raise self._fault(line, f"column '{self._header[column]}' holds no label", "fill in the field")
        return parse_label(text)

    def _fault(self, line: int, what: str, fix: str) -> DatasetError:
        return DatasetError(what, where=f"{self._path}:{line}", fix=fix)


class _Lines:
    """Decoded lines of a mapped file from an offset on; `position` is where the next one begins."""

    def __init__(self, file: MappedFile, position: int) -> None:
        self._file = file
        self.position = position

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        data = self._file.data
        end = data.find(b"\n", self.position) + 1 or len(data)
        if self.position == end:
            raise StopIteration
        line = data[self.position : end]
        self.position = end
        self._file.note_read(len(line))
        return line.decode("utf-8")
