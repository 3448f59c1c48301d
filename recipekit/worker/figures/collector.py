"""What one evaluation gives to draw, collected while it runs: nothing is kept but a few points, counts and samples.

It judges nothing and fails nothing: an output that can't be drawn says why. It knows no dataset and no model.
"""

from __future__ import annotations

import heapq
import traceback
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from recipekit.contracts.figures import OutputFigures, SampleInput, WorstSample
from recipekit.worker.comparison import Answers
from recipekit.worker.figures.classes import ClassTally, threshold_of
from recipekit.worker.figures.histogram import GrowingHistogram
from recipekit.worker.figures.thumbnails import thumbnail
from recipekit.worker.samples import NamedSample

MOST_OUTPUTS = 4
"""Outputs of a signature that figures are collected of."""

_POINTS = 300
_WORST = 6
_SHOWN_VALUES = 4
_BLOCK_SAMPLES = 256
_BLOCK_BYTES = 1 << 20
_LONGEST_LABEL = 40

Array = npt.NDArray[Any]


class _Seen(NamedTuple):
    """A sample that waits for its block, and the converted model's outputs on it."""

    sample: NamedSample
    outputs: Mapping[str, Array]


class _Worst(NamedTuple):
    """A sample that is among the worst so far; compared by its first two parts, the worst being the largest."""

    distance: float
    before: int
    sample: NamedSample
    float_values: npt.NDArray[np.float64]
    converted_values: npt.NDArray[np.float64]


class FigureCollector:
    """The figures of one signature's outputs."""

    def __init__(self, expected: Mapping[str, Answers], metrics: Mapping[str, Mapping[str, Any]]) -> None:
        """Collects nothing yet.

        Args:
            expected: the float model's outputs by name, an array a sample.
            metrics: parameters of the recipe's task metrics by name.
        """
        chosen = list(expected)[:MOST_OUTPUTS]
        self._outputs = [_Output(name, expected[name], threshold_of(metrics, name)) for name in chosen]
        self._block: list[_Seen] = []
        self._bytes = 0
        self.omitted = len(expected) - len(chosen)

    def add(self, sample: NamedSample, outputs: Mapping[str, Array]) -> None:
        """Takes the converted model's outputs on the next sample."""
        self._block.append(_Seen(sample, outputs))
        self._bytes += sum(array.nbytes for array in (*sample.tensors.values(), *outputs.values()))
        if len(self._block) >= _BLOCK_SAMPLES or self._bytes >= _BLOCK_BYTES:
            self._flush()

    def result(self) -> list[OutputFigures]:
        """The figures of each output, the first few of them."""
        self._flush()
        return [output.result() for output in self._outputs]

    def _flush(self) -> None:
        for output in self._outputs:
            output.add(self._block)
        self._block, self._bytes = [], 0


class _Output:
    """The figures of one output."""

    def __init__(self, name: str, expected: Answers, threshold: float | None) -> None:
        self._name = name
        self._expected = expected
        self._uniform = isinstance(expected, np.ndarray)
        self._size = int(np.prod(expected.shape[1:])) if isinstance(expected, np.ndarray) else 0
        self._chosen = _chosen(len(expected) * self._size)
        self._done = self._values = 0
        self._points: list[tuple[float, float]] = []
        self._extreme = (-1.0, 0.0, 0.0)
        self._histogram = GrowingHistogram()
        self._worst: list[_Worst] = []
        self._tally = ClassTally(name, threshold)
        self._failure = ""

    def add(self, block: Sequence[_Seen]) -> None:
        if not block or self._failure:
            return
        try:
            self._add(block)
        except Exception as error:  # noqa: BLE001  figures fail no evaluation; the page says what is missing and why
            self._failure = _told(error)
        self._done += len(block)

    def result(self) -> OutputFigures:
        try:
            return OutputFigures(output=self._name, failure=self._failure) if self._failure else self._figures()
        except Exception as error:  # noqa: BLE001  as above
            return OutputFigures(output=self._name, failure=_told(error))

    def _figures(self) -> OutputFigures:
        extreme = [self._extreme[1:]] if self._extreme[0] >= 0 else []
        return OutputFigures(
            output=self._name,
            values=self._values,
            points=(*self._points, *extreme) if self._uniform else (),
            histogram=self._histogram.result(),
            worst=tuple(_described(worst, self._name) for worst in sorted(self._worst, key=_rank, reverse=True)),
            classes=self._tally.result(),
        )

    def _add(self, block: Sequence[_Seen]) -> None:
        expected = self._expected[self._done : self._done + len(block)]
        converted = [seen.outputs[self._name] for seen in block]
        if self._uniform:
            self._compare(_rows(expected), _rows(converted), block)
        else:
            for signal, values, seen in zip(expected, converted, block, strict=True):
                self._compare(_rows([signal]), _rows([values]), [seen])
        for signal, values, seen in zip(expected, converted, block, strict=True):
            self._tally.add(seen.sample.label, signal, values)

    def _compare(self, signal: Array, values: Array, block: Sequence[_Seen]) -> None:
        """Takes rows of both models' values, one a sample."""
        errors = values - signal
        if not np.isfinite(errors).all():
            raise ValueError("a value is not finite")
        self._values += errors.size
        self._histogram.add(errors)
        self._keep_extreme(signal, values, np.abs(errors))
        first = self._done * self._size
        here = self._chosen[(self._chosen >= first) & (self._chosen < first + errors.size)] - first
        self._points += zip(signal.ravel()[here].tolist(), values.ravel()[here].tolist(), strict=True)
        distances = np.sqrt(np.einsum("ij,ij->i", errors, errors))
        for at in np.argsort(-distances, kind="stable")[:_WORST].tolist():
            self._keep_worst(float(distances[at]), block[at].sample, signal[at], values[at])

    def _keep_extreme(self, signal: Array, values: Array, errors: Array) -> None:
        if errors.size:
            at = int(errors.argmax())
            if float(errors.flat[at]) > self._extreme[0]:
                self._extreme = (float(errors.flat[at]), float(signal.flat[at]), float(values.flat[at]))

    def _keep_worst(self, distance: float, sample: NamedSample, signal: Array, values: Array) -> None:
        entry = _Worst(distance, -sample.index, sample, signal, values)
        if distance > 0 and len(self._worst) < _WORST:
            heapq.heappush(self._worst, entry)
        elif distance > 0 and _rank(entry) > _rank(self._worst[0]):
            heapq.heapreplace(self._worst, entry)


def _told(error: Exception) -> str:
    """What the page says of a failure, whose traceback goes to the stage's log."""
    traceback.print_exc()
    return f"{type(error).__name__}: {error}"


def _rows(arrays: Answers) -> npt.NDArray[np.float64]:
    """A row of numbers a sample."""
    return np.asarray(arrays).astype(np.float64).reshape(len(arrays), -1)


def _rank(entry: _Worst) -> tuple[float, int]:
    return entry[:2]


def _described(worst: _Worst, output: str) -> WorstSample:
    errors = np.abs(worst.converted_values - worst.float_values)
    places = np.argsort(-errors, kind="stable")[:_SHOWN_VALUES]
    highest = int(worst.float_values.argmax()), int(worst.converted_values.argmax())
    return WorstSample(
        index=worst.sample.index,
        id=worst.sample.id,
        label=_label(worst.sample.label, output),
        distance=worst.distance,
        values=worst.float_values.size,
        differences=tuple(
            (at, float(worst.float_values[at]), float(worst.converted_values[at])) for at in places.tolist()
        ),
        highest=None if worst.float_values.size < 2 else highest,
        inputs=tuple(_input(name, array) for name, array in worst.sample.tensors.items()),
    )


def _chosen(values: int) -> npt.NDArray[np.int64]:
    """Positions of the values that become points, ascending: all, or some without preference, always the same."""
    if values <= _POINTS:
        return np.arange(values)
    return np.unique(np.random.Generator(np.random.PCG64(0)).integers(0, values, _POINTS))


def _label(label: Any, output: str) -> str:
    if isinstance(label, Mapping):
        label = label.get(output)
    if label is None or np.ndim(label) > 0:
        return ""
    text = label.decode(errors="replace") if isinstance(label, bytes) else str(label)
    return text if len(text) <= _LONGEST_LABEL else f"{text[:_LONGEST_LABEL]}…"


def _input(name: str, array: Array) -> SampleInput:
    countable = array.dtype.kind in "biuf" and array.size > 0
    return SampleInput(
        name=name,
        dtype=str(array.dtype) if array.dtype.kind in "biuf" else "str",
        shape=array.shape,
        lowest=float(array.min()) if countable else None,
        highest=float(array.max()) if countable else None,
        picture=thumbnail(array),
    )
