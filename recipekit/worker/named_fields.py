"""Rows of a hosted dataset as samples: which of their named fields are inputs, and which the label.

It knows nothing of where rows come from.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from recipekit.contracts import Sample
from recipekit.errors import DatasetError
from recipekit.nearest import did_you_mean


class NamedFields:
    """The choice of fields; a field inside of another is named `outer/inner`."""

    def __init__(self, inputs: Mapping[str, str] | None, label_key: str | Sequence[str] | None) -> None:
        """Takes the choice.

        Args:
            inputs: fields by input name; None takes every field but the label, a single one without a name.
            label_key: the field that is the label; of several, their columns side by side, such as boxes and classes;
                None for no label.
        """
        self._inputs = inputs
        self._label: tuple[str, ...] = (label_key,) if isinstance(label_key, str) else tuple(label_key or ())

    def sample(self, name: str, row: Mapping[str, Any], place: str) -> Sample:
        """A row as a sample.

        Args:
            name: the sample's id.
            row: values by name, which may be mappings themselves.
            place: what an error calls the row.

        Raises:
            DatasetError: the row lacks a chosen field, or columns of the label differ in length.
        """
        values = dict(_flattened(row, ""))
        for key in (*(self._inputs or {}).values(), *self._label):
            if key not in values:
                raise DatasetError(
                    f"has no field '{key}'{did_you_mean(key, values)}",
                    where=place,
                    fix=f"name one of {', '.join(values)}",
                )
        label = self._label_of(values, place) if self._label else None
        if self._inputs is not None:
            return Sample(name, {given: _array(values[key]) for given, key in self._inputs.items()}, label)
        rest = {key: _array(value) for key, value in values.items() if key not in self._label}
        return Sample(name, next(iter(rest.values())) if len(rest) == 1 else rest, label)

    def _label_of(self, values: Mapping[str, Any], place: str) -> Any:
        parts = [_array(values[key]) for key in self._label]
        if len(parts) == 1:
            return parts[0][()]
        columns = [part.reshape(len(part), -1) if part.ndim > 1 else part.reshape(-1, 1) for part in parts]
        if len({len(column) for column in columns}) > 1:
            lengths = ", ".join(f"{key} {len(column)}" for key, column in zip(self._label, columns, strict=True))
            raise DatasetError(f"has label fields of different lengths: {lengths}", where=place, fix="name others")
        return np.concatenate(columns, axis=1)


def _flattened(row: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    for key, value in row.items():
        if isinstance(value, Mapping):
            yield from _flattened(value, f"{prefix}{key}/")
        else:
            yield f"{prefix}{key}", value


def _array(value: Any) -> npt.NDArray[Any]:
    """A value as an array; texts as texts, and nothing as numbers, since a list without items has no type."""
    array = np.asarray(value.decode("utf-8") if isinstance(value, bytes) else value)
    if array.dtype.kind == "O" and array.size and all(isinstance(item, bytes) for item in array.flat):
        return np.array([item.decode("utf-8") for item in array.flat]).reshape(array.shape)
    return array.astype(np.float32) if not array.size and array.dtype.kind == "O" else array
