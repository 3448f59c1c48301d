"""Labels that stand in a file of their own: a CSV or JSON table from file names to labels.

It knows nothing of the samples that the names are of.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from recipekit.errors import DatasetError
from recipekit.nearest import did_you_mean
from recipekit.worker.named_path import require_file

TABLES = (".csv", ".json")
"""Endings of the two forms of table."""


def parse_label(text: str) -> int | float | str:
    """A label that was written as text: an integer, else a number, else the text itself."""
    with suppress(ValueError):
        return int(text)
    with suppress(ValueError):
        return float(text)
    return text


class LabelFile:
    """A table of labels.

    A `.csv` file has a header line, the sample's file name in its first column and the label in its second; a `.json`
    file is one object from file names to numbers, texts, or (nested) lists of numbers, which become arrays.
    """

    def __init__(self, path: Path) -> None:
        """Reads the table.

        Args:
            path: the file, in UTF-8; its ending says which form it has.

        Raises:
            DatasetError: it is unreadable, or has another form.
        """
        self._path = path
        require_file(path, "labels")
        try:
            self._labels: Mapping[str, Any] = _read_json(path) if path.suffix.lower() == ".json" else _read_csv(path)
        except (OSError, ValueError, csv.Error) as error:
            raise DatasetError(
                f"holds no labels: {error}",
                where=str(path),
                fix="give `labels` a CSV file with a header and the columns file and label, or a JSON object of labels",
            ) from error

    def __getitem__(self, name: str) -> Any:
        """The label of a file, by its path relative to the dataset's folder; raises DatasetError where it has none."""
        if name not in self._labels:
            raise DatasetError(
                f"has no label for '{name}'{did_you_mean(name, self._labels)}",
                where=str(self._path),
                fix="add a line for it, named by its path relative to the dataset's folder",
            )
        return self._labels[name]


def _read_csv(path: Path) -> dict[str, int | float | str]:
    labels: dict[str, int | float | str] = {}
    with path.open(encoding="utf-8-sig", newline="") as stream:
        rows = csv.reader(stream, strict=True)
        next(rows, None)
        for row in filter(None, rows):
            if len(row) != 2 or not row[1].strip():
                raise ValueError(f"line {rows.line_num} is {row}, not a file name and a label")
            if row[0] in labels:
                raise ValueError(f"line {rows.line_num} names '{row[0]}' again")
            labels[row[0]] = parse_label(row[1])
    return labels


def _read_json(path: Path) -> dict[str, Any]:
    labels = json.loads(path.read_text("utf-8-sig"))
    if not isinstance(labels, dict):
        raise ValueError(  # noqa: TRY004  what is wrong is the file's content
            f"it is a {type(labels).__name__}, not an object"
        )
    return labels
