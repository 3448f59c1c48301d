"""Random numbers in place of data, for trying a recipe out; a recipe must say `allow_random: true` to use them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from recipekit.contracts import DatasetContext, Sample
from recipekit.errors import DatasetError
from recipekit.nearest import did_you_mean
from recipekit.worker.tensors import NUMERIC_TYPES, fits

_ELEMENT_TYPES = (*NUMERIC_TYPES, "bool")


class RandomDataset:
    """Uniform random samples without labels; each is decided by the recipe's seed and its index alone.

    Args:
        context: holds the seed.
        inputs: shapes without batch dimension by input name.
        count: how many samples there are.
        dtype: element type of every input.
        low: lower end of the range, included.
        high: upper end, included for integers; truth values ignore both.

    Raises:
        DatasetError: the element type is unknown, or the range is empty or doesn't fit it.
    """

    def __init__(
        self,
        context: DatasetContext,
        *,
        inputs: Mapping[str, Sequence[int]],
        count: int = 100,
        dtype: str = "float32",
        low: float = 0.0,
        high: float = 1.0,
    ) -> None:
        if dtype not in _ELEMENT_TYPES:
            raise DatasetError(
                f"there is no element type {dtype!r}{did_you_mean(dtype, _ELEMENT_TYPES)}",
                where="random",
                fix=f"use one of {', '.join(_ELEMENT_TYPES)}",
            )
        self._dtype = np.dtype(dtype)
        held = self._dtype.kind == "b" or (fits(low, self._dtype) and fits(high, self._dtype))
        if not (low < high and held and math.isfinite(high - low)):
            raise DatasetError(
                f"can't draw {dtype} from {low} to {high}",
                where="random",
                fix="set `low` below `high`, both of `dtype`",
            )
        self._seed = context.seed
        self._shapes = {name: tuple(inputs[name]) for name in sorted(inputs)}
        self._count = count
        self._low, self._high = low, high

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: int) -> Sample:
        generator = np.random.Generator(np.random.PCG64([self._seed, index]))
        return Sample(str(index), {name: self._draw(generator, shape) for name, shape in self._shapes.items()})

    def _draw(self, generator: np.random.Generator, shape: tuple[int, ...]) -> npt.NDArray[Any]:
        if self._dtype.kind == "f":
            return np.asarray(generator.uniform(self._low, self._high, shape)).astype(self._dtype)
        if self._dtype.kind == "b":
            return np.asarray(generator.integers(0, 2, shape)).astype(self._dtype)
        return np.asarray(generator.integers(int(self._low), int(self._high), shape, self._dtype, endpoint=True))
