"""An input or output of a model in an interpreter, and how its integers stand for real numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class Port:
    """One input or output: where it is in the interpreter and how its integers stand for real numbers.

    Attributes:
        name: of the signature, or of the tensor in a file without signatures.
        index: of the tensor.
        dtype: of the tensor.
        shape: with the batch dimension; -1 for a dynamic dimension.
        scale: of per-tensor quantization; 0.0 for none.
        zero_point: of per-tensor quantization.
        lowest: the smallest integer of a quantized dtype.
        highest: the largest one.
    """

    name: str
    index: int
    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    scale: float
    zero_point: int
    lowest: np.float32
    highest: np.float32

    def quantized(self, value: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Real numbers as the tensor's integers: the nearest one (half to even), clipped to the dtype's range."""
        scaled = np.asarray(value / self.scale, np.float32)
        np.rint(scaled, out=scaled)
        scaled += self.zero_point
        # Limits of the array's own dtype: Python's integers would cost a conversion and half of the time.
        return scaled.clip(self.lowest, self.highest, out=scaled).astype(self.dtype)

    def dequantized(self, value: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
        """The tensor's integers as the real numbers that they stand for."""
        real = value.astype(np.float32)
        real -= self.zero_point
        real *= self.scale
        return real


class HeldTensor(NamedTuple):
    """A tensor as an interpreter holds it: its index, the array with the batch dimension, its quantization (or 0.0)."""

    tensor: int
    array: npt.NDArray[Any]
    scale: float
    zero_point: int


def named_ports(details: Mapping[str, Mapping[str, Any]]) -> tuple[Port, ...]:
    """The ports that LiteRT's details of inputs or outputs describe, in their order.

    Args:
        details: by name.
    """
    return tuple(_port(name, detail) for name, detail in details.items())


def _port(name: str, detail: Mapping[str, Any]) -> Port:
    dtype = np.dtype(detail["dtype"])
    scale, zero_point = detail["quantization"]
    limits = np.iinfo(dtype if scale else np.int8)
    return Port(
        name=name,
        index=detail["index"],
        dtype=dtype,
        shape=tuple(detail["shape_signature"].tolist()),
        scale=scale,
        zero_point=zero_point,
        lowest=np.float32(limits.min),
        highest=np.float32(limits.max),
    )
