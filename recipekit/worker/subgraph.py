"""The graph behind one of several signatures of a LiteRT interpreter, run step by step.

LiteRT's public calls reach the first graph alone; its `SignatureRunner` reaches the others, but feeds, runs and fetches
in one call, which allocates anew each time and can't be timed. So the calls that it makes itself are made here, and
nowhere else: their names are private to ai_edge_litert 2.3.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from ai_edge_litert.interpreter import Interpreter


class Subgraph:
    """One signature's graph, with the methods of an `Interpreter` for a model that has no other."""

    def __init__(self, interpreter: Interpreter, key: str) -> None:
        self._interpreter = interpreter
        self._calls: Any = interpreter._interpreter
        self._index = int(self._calls.GetSubgraphIndexFromSignature(key))

    def allocate_tensors(self) -> None:
        """See `Interpreter`."""
        self._calls.AllocateTensors(self._index)

    def resize_tensor_input(self, input_index: int, tensor_size: tuple[int, ...]) -> None:
        """See `Interpreter`."""
        self._calls.ResizeInputTensor(input_index, np.array(tensor_size, np.int32), False, self._index)

    def set_tensor(self, tensor_index: int, value: npt.NDArray[Any]) -> None:
        """See `Interpreter`."""
        self._calls.SetTensor(tensor_index, value, self._index)

    def get_tensor(self, tensor_index: int) -> npt.NDArray[Any]:
        """See `Interpreter`."""
        array: npt.NDArray[Any] = self._interpreter.get_tensor(tensor_index, self._index)
        return array

    def invoke(self) -> None:
        """See `Interpreter`."""
        self._calls.Invoke(self._index)

    def reset_all_variables(self) -> None:
        """See `Interpreter`; reaches the memory of operators of every graph."""
        self._interpreter.reset_all_variables()
