"""Parity: how far a converted model's output is from the float model's, summed up block by block.

The sums are float64 and nothing else is kept, so any number of samples fits. This module knows neither where the
arrays come from nor which distance is acceptable.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from recipekit.contracts import EXACT_SQNR_DB, Parity
from recipekit.errors import EvaluationError


class ParityAccumulator:
    """The running sums behind `contracts.Parity` for one output."""

    def __init__(self, output: str) -> None:
        self._output = output
        self._samples = 0
        self._values = 0
        self._largest = 0.0
        self._absolute = 0.0
        self._squared = 0.0
        self._signal = 0.0
        self._norms = 0.0
        self._cosines = 0.0
        self._agreeing = 0
        self._rows = 0

    def add(self, reference: npt.NDArray[Any], converted: npt.NDArray[Any]) -> None:
        """Adds the next samples.

        Args:
            reference: the float model's values, shape (samples, *shape); integers and booleans count as numbers.
            converted: the converted model's values for the same samples, same shape.

        Raises:
            EvaluationError: the shapes differ, or a value isn't a finite number.
        """
        if reference.shape != converted.shape:
            raise self._error(
                f"has shape {converted.shape[1:]}, the float model's has {reference.shape[1:]}",
                "fix dynamic dimensions with `source.input_shapes`, or correct the model",
            )
        signal = self._numbers(reference)
        values = self._numbers(converted)
        self._refuse_non_finite(values, "converted")
        self._refuse_non_finite(signal, "float")
        self._add_distances(signal, values)
        if reference.ndim >= 2 and reference.shape[-1] >= 2:
            self._agreeing += int(np.count_nonzero(reference.argmax(axis=-1) == converted.argmax(axis=-1)))
            self._rows += math.prod(reference.shape[:-1])
        self._samples += len(reference)

    def result(self) -> Parity:
        """The parity over all samples added.

        Raises:
            EvaluationError: nothing was added, or the output holds no values.
        """
        if self._values == 0:
            raise self._error("holds no values to compare", "evaluate at least one sample with a non-empty output")
        mean_squared = self._squared / self._values
        return Parity(
            max_abs_error=self._largest,
            mean_abs_error=self._absolute / self._values,
            rmse=math.sqrt(mean_squared),
            l2=self._norms / self._samples,
            cosine_similarity=self._cosines / self._samples,
            sqnr_db=decibels(self._signal, self._squared),
            argmax_agreement=self._agreeing / self._rows if self._rows else None,
            agreeing=self._agreeing if self._rows else None,
            rows=self._rows if self._rows else None,
        )

    def _add_distances(self, signal: npt.NDArray[np.float64], values: npt.NDArray[np.float64]) -> None:
        error = np.abs(values - signal)
        squared = np.einsum("ij,ij->i", error, error)
        signal_power = np.einsum("ij,ij->i", signal, signal)
        self._values += error.size
        self._largest = max(self._largest, float(error.max(initial=0.0)))
        self._absolute += float(error.sum())
        self._squared += float(squared.sum())
        self._signal += float(signal_power.sum())
        self._norms += float(np.sqrt(squared).sum())
        self._cosines += float(_cosines(signal, values).sum())

    def _numbers(self, array: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
        """A row of float64 a sample."""
        if array.dtype.kind not in "biuf":
            raise self._error(f"is of dtype {array.dtype}, which can't be compared", "measure numeric outputs only")
        return array.reshape(len(array), math.prod(array.shape[1:])).astype(np.float64)

    def _refuse_non_finite(self, rows: npt.NDArray[np.float64], model: str) -> None:
        finite = np.isfinite(rows)
        if not finite.all():
            row, column = np.argwhere(~finite)[0]
            raise self._error(
                f"the {model} model gives {rows[row, column]} for sample {self._samples + row}",
                "look for overflow, or for weights that were lost on the way into the model",
            )

    def _error(self, what: str, fix: str) -> EvaluationError:
        return EvaluationError(what, where=f"output '{self._output}'", fix=fix)


def _cosines(signal: npt.NDArray[np.float64], values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Cosine of each pair of rows: 1 for equal ones, zeros among them, and 0 where one alone is zero.

    Rows are scaled by powers of two, which no other digit notices, so that the squares of tiny numbers don't vanish.
    """
    one, other = _scaled(signal), _scaled(values)
    norms = np.sqrt(np.einsum("ij,ij->i", one, one)) * np.sqrt(np.einsum("ij,ij->i", other, other))
    dots = np.einsum("ij,ij->i", one, other)
    cosines = np.divide(dots, norms, out=np.zeros_like(dots), where=norms > 0)
    return np.where((signal == values).all(axis=1), 1.0, np.clip(cosines, -1.0, 1.0))


def _scaled(rows: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Each row with its largest number between a half and one; a row of zeros as it is."""
    _, exponents = np.frexp(np.abs(rows).max(axis=1, initial=0.0))
    scaled: npt.NDArray[np.float64] = np.ldexp(rows, -exponents[:, np.newaxis])
    return scaled


def decibels(signal: float, error: float) -> float:
    """10 log10(signal / error), kept within ±EXACT_SQNR_DB, which stand for no error and for no signal."""
    if error == 0:
        return EXACT_SQNR_DB
    if signal == 0:
        return -EXACT_SQNR_DB
    return min(max(10 * (math.log10(signal) - math.log10(error)), -EXACT_SQNR_DB), EXACT_SQNR_DB)
