"""Running statistics of the values of a reading: what a linter wants to know of samples that nobody keeps.

They must cost little beside reading and digesting a sample, so every value counts for the extremes alone, a spread of a
few hundred values for mean and deviation, and what can be is done for many samples at once. Memory grows by two numbers
for each sample and tensor. Nothing is judged here, and nothing is known of a model.
"""

from __future__ import annotations

import math
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt

from recipekit.contracts import NonFinite, TensorStatistics
from recipekit.worker.tensors import Array, Tensors

_SPREAD = 256
_BLOCK = 64 * _SPREAD
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
        """The statistics of all samples that went by; writes the extremes of each tensor to a file of the folder."""
        return tuple(
            running.record(name, self._count, folder / f"extremes_{number}.bin")
            for number, (name, running) in enumerate(self._tensors.items())
        )


class _Running:
    """One tensor. Samples of one shape are gathered in a block: whole where they are small, else a spread of each."""

    def __init__(self) -> None:
        self._shape: tuple[int, ...] | None = None
        self._stride = 1
        self._block = np.empty((0, 0))
        self._rows = 0
        self._indices: list[int] = []
        self._limits: list[tuple[float, float]] = []
        self._extremes = np.full((0, 2), np.nan)
        self._moments = _Moments()
        self._non_finite: NonFinite | None = None

    def add(self, values: Array, index: int) -> None:
        """Takes the values of the sample at `index`, at least one."""
        if values.shape != self._shape:
            self._flush()
            self._begin(values.shape)
        flat = values.reshape(-1)
        if self._stride > 1:
            lowest, highest = float(flat.min()), float(flat.max())
            if not (math.isfinite(lowest) and math.isfinite(highest)):
                self._note(values, index)
                return
            self._limits.append((lowest, highest))
            flat = flat[:: self._stride]
        self._block[self._rows] = flat
        self._indices.append(index)
        self._rows += 1
        if self._rows == len(self._block):
            self._flush()

    def _begin(self, shape: tuple[int, ...]) -> None:
        size = math.prod(shape)
        self._shape = shape
        self._stride = max(1, size // _SPREAD)
        while self._stride > 1 and math.gcd(self._stride, shape[-1]) > 1:
            self._stride += 1  # so that no channel is left out
        width = -(-size // self._stride)
        self._block = np.empty((max(1, _BLOCK // width), width))

    def _flush(self) -> None:
        """Sums the block up and empties it."""
        block, indices = self._block[: self._rows], np.array(self._indices, int)
        if not self._rows:
            return
        limits = np.array(self._limits) if self._stride > 1 else np.stack([block.min(axis=1), block.max(axis=1)], 1)
        self._rows, self._indices, self._limits = 0, [], []
        finite = np.isfinite(limits).all(axis=1)
        for row in np.flatnonzero(~finite):
            self._note(block[row].reshape(self._shape), int(indices[row]))
        limits[~finite] = np.nan
        self._reach(int(indices[-1]) + 1)
        self._extremes[indices] = limits
        self._moments.add(block[finite])

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

    def record(self, name: str, count: int, path: Path) -> TensorStatistics:
        """The statistics over `count` samples; writes their extremes to `path`."""
        self._flush()
        self._reach(count)
        extremes = self._extremes[:count]
        path.write_bytes(extremes.tobytes())
        seen = extremes[np.isfinite(extremes)]
        return TensorStatistics(
            name=name,
            lowest=float(seen.min()) if seen.size else 0.0,
            highest=float(seen.max()) if seen.size else 0.0,
            mean=self._moments.mean,
            std=self._moments.std,
            extremes=str(path),
            non_finite=self._non_finite,
        )


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
