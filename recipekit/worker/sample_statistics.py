"""Running statistics of the values of a reading: what a linter wants to know of samples that nobody keeps.

They must cost little beside reading and digesting a sample, so every value counts for the extremes alone, a spread of a
few hundred values for mean, deviation and shares, and all is done for many samples at once. Memory grows by two numbers
for each sample and tensor. Nothing is judged here, and nothing is known of a model.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from recipekit.contracts import NonFinite, TensorStatistics
from recipekit.worker.tensors import Array, Tensors

_SPREAD = 256
_GATHERED = 1 << 14
"""Bytes of the largest sample that is copied to be summed up with others; copying costs more than it saves beyond."""

_BLOCK = 1 << 17
"""Bytes that are summed up together; more than fits into a core's cache is slower again."""

_ROWS = 2048
_KEPT = 1 << 12
_LARGEST = 1e140
"""Stands for all that is larger, whose squares float64 can't sum."""


class SampleStatistics:
    """Takes the samples of one reading in order."""

    def __init__(self) -> None:
        self._tensors: dict[str, _Running] = {}
        self._count = 0

    def add(self, tensors: Tensors) -> None:
        """Takes the tensors of the next sample; those that hold no real numbers are left out."""
        for name, values in tensors.items():
            if values.size and values.dtype.kind in "iuf":
                running = self._tensors.get(name)
                if running is None:
                    running = self._tensors[name] = _Running()
                running.add(values, self._count)
        self._count += 1

    def record(self, folder: Path) -> tuple[TensorStatistics, ...]:
        """The statistics of all samples that went by; writes two files for each tensor into the folder."""
        return tuple(
            running.record(name, self._count, folder / f"extremes_{number}.bin", folder / f"values_{number}.bin")
            for number, (name, running) in enumerate(self._tensors.items())
        )


class _Running:
    """One tensor. Samples of one kind are gathered in a block: whole where they are small, else a spread of each."""

    def __init__(self) -> None:
        self._kind: tuple[tuple[int, ...], np.dtype[Any]] | None = None
        self._whole = True
        self._stride = 1
        self._block: Array = np.empty((0, 0))
        self._rows = 0
        self._indices: list[int] = []
        self._limits: list[tuple[float, float]] = []
        self._extremes = np.full((0, 2), np.nan)
        self._moments = _Moments()
        self._kept = _Kept()
        self._non_finite: NonFinite | None = None

    def add(self, values: Array, index: int) -> None:
        """Takes the values of the sample at `index`, at least one."""
        if (values.shape, values.dtype) != self._kind:
            self._flush()
            self._begin(values)
        flat = values.reshape(-1)
        if not self._whole:
            limits = float(np.minimum.reduce(flat)), float(np.maximum.reduce(flat))
            if not (math.isfinite(limits[0]) and math.isfinite(limits[1])):
                self._note(values, index)
                return
            self._limits.append(limits)
            flat = flat[:: self._stride]
        self._block[self._rows] = flat
        self._indices.append(index)
        self._rows += 1
        if self._rows == len(self._block):
            self._flush()

    def _begin(self, values: Array) -> None:
        shape = values.shape
        self._kind = (shape, values.dtype)
        self._whole = values.nbytes <= _GATHERED
        self._stride = max(1, values.size // _SPREAD)
        while self._stride > 1 and math.gcd(self._stride, shape[-1]) > 1:
            self._stride += 1  # so that no channel is left out
        width = values.size if self._whole else -(-values.size // self._stride)
        rows = min(_ROWS, max(1, _BLOCK // (width * values.itemsize)))
        self._block = np.empty((rows, width), values.dtype)

    def _flush(self) -> None:
        """Sums the block up and empties it."""
        if not self._rows:
            return
        block, indices = self._block[: self._rows], np.array(self._indices, int)
        limits = np.array(self._limits, np.float64)
        if self._whole:
            limits = np.empty((self._rows, 2))
            limits[:, 0], limits[:, 1] = np.minimum.reduce(block, axis=1), np.maximum.reduce(block, axis=1)
            block = self._without_bad(block[:, :: self._stride], limits, indices)
        self._rows, self._indices, self._limits = 0, [], []
        self._reach(int(indices[-1]) + 1)
        self._extremes[indices] = limits
        values = block.astype(np.float64)
        self._moments.add(values)
        self._kept.add(values)

    def _without_bad(self, spread: Array, limits: npt.NDArray[np.float64], indices: npt.NDArray[np.int64]) -> Array:
        """The rows whose values are finite; the others are noted, and their limits become NaN."""
        finite = np.isfinite(limits).all(axis=1)
        if finite.all():
            return spread
        assert self._kind is not None
        for row in np.flatnonzero(~finite):
            self._note(self._block[row].reshape(self._kind[0]), int(indices[row]))
        limits[~finite] = np.nan
        return spread[finite]

    def _note(self, values: Array, index: int) -> None:
        if self._non_finite is not None:
            self._non_finite = msgspec.structs.replace(self._non_finite, count=self._non_finite.count + 1)
            return
        first = np.unravel_index(int(np.argmin(np.isfinite(values))), values.shape)
        position = tuple(int(axis) for axis in first)
        self._non_finite = NonFinite(count=1, index=index, position=position, value=str(values[position]))

    def _reach(self, count: int) -> None:
        """Makes place for the extremes of so many samples; one that says nothing has NaN."""
        missing = count - len(self._extremes)
        if missing > 0:
            more = np.full((max(missing, len(self._extremes)), 2), np.nan)
            self._extremes = np.concatenate([self._extremes, more])

    def record(self, name: str, count: int, limits: Path, values: Path) -> TensorStatistics:
        """The statistics over `count` samples; writes their extremes to `limits`, some of their values to `values`."""
        self._flush()
        self._reach(count)
        extremes = self._extremes[:count]
        limits.write_bytes(extremes.tobytes())
        values.write_bytes(self._kept.sorted().tobytes())
        seen = extremes[np.isfinite(extremes)]
        return TensorStatistics(
            name=name,
            lowest=float(seen.min()) if seen.size else 0.0,
            highest=float(seen.max()) if seen.size else 0.0,
            mean=self._moments.mean,
            std=self._moments.std,
            extremes=str(limits),
            values=str(values),
            non_finite=self._non_finite,
        )


class _Kept:
    """Some of the values that went by, evenly drawn: each of the first ones, then each second, fourth and so on."""

    def __init__(self) -> None:
        self._step = 1
        self._parts: list[npt.NDArray[np.float64]] = []
        self._size = 0
        self._passed = 0

    def add(self, block: npt.NDArray[np.float64]) -> None:
        """Takes a block of values, of any shape."""
        flat = block.reshape(-1)
        part = flat[-self._passed % self._step :: self._step].copy()
        self._passed += flat.size
        self._parts.append(part)
        self._size += part.size
        while self._size > 2 * _KEPT:
            self._parts = [np.concatenate(self._parts)[::2]]
            self._size = self._parts[0].size
            self._step *= 2

    def sorted(self) -> npt.NDArray[np.float64]:
        """All that was kept, smallest first."""
        return np.sort(np.concatenate(self._parts)) if self._parts else np.empty(0)


class _Moments:
    """Mean and standard deviation of values that come in blocks, each put together with those before it.

    Source: Chan, Golub, LeVeque, "Updating formulae and a pairwise algorithm for computing sample variances", 1979.
    """

    def __init__(self) -> None:
        self._count = 0
        self._squares = 0.0
        self.mean = 0.0

    @property
    def std(self) -> float:
        """Standard deviation of all values."""
        return math.sqrt(self._squares / self._count) if self._count else 0.0

    def add(self, block: npt.NDArray[np.float64]) -> None:
        """Takes a block of finite values, of any shape."""
        if not block.size:
            return
        with np.errstate(over="ignore", invalid="ignore"):
            mean, variance = float(block.mean()), float(block.var())
        if not math.isfinite(mean + variance):
            block = block.clip(-_LARGEST, _LARGEST)
            mean, variance = float(block.mean()), float(block.var())
        both = self._count + block.size
        apart = mean - self.mean
        self._squares += variance * block.size + apart * apart * self._count * block.size / both
        self.mean += apart * block.size / both
        self._count = both
