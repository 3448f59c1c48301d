"""Samples of every network: normal floats, and integers drawn evenly; the seed is the sample's number."""

from __future__ import annotations

from typing import Any

import numpy as np

from .catalogue import NETWORKS, Input


class Samples:
    """As many samples as are asked for, each its own number's."""

    def __init__(self, inputs: dict[str, Input], first: int) -> None:
        self._inputs = inputs
        self._first = first

    def __len__(self) -> int:
        return 1000

    def __getitem__(self, index: int) -> dict[str, Any]:
        draw = np.random.default_rng(self._first + index)
        return {name: _values(draw, spec) for name, spec in self._inputs.items()}


def samples(network: str, first: int) -> Samples:
    """The samples of a network, from a number on."""
    return Samples(NETWORKS[network].inputs, first)


def _values(draw: np.random.Generator, spec: Input) -> Any:
    if spec.below is None:
        return draw.normal(size=spec.shape).astype(np.float32)
    return draw.integers(spec.below, size=spec.shape, dtype=np.int64 if spec.below == 30 else np.int32)
