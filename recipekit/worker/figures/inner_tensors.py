"""How far the tensors inside of a candidate are from those of the float32 conversion, operator by operator.

Tensors are matched by their names, which quantizers keep, and both models run without delegates, which would leave
nothing of what is between their operators. It knows no dataset and draws nothing.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from ai_edge_litert.interpreter import Interpreter, OpResolverType

from recipekit.contracts import Inspection
from recipekit.worker.interpreter import Runner
from recipekit.worker.parity import decibels
from recipekit.worker.samples import NamedSample

MOST_VALUES = 100_000_000
"""Of a model whose tensors hold more values, all of them together, nothing is compared."""

_SECONDS = 0.5
"""No sample is begun after so long, but the first."""


class Compared(NamedTuple):
    """What was compared of one signature.

    Attributes:
        sqnr_db: of each matched tensor, by its name: signal power over error power, summed over the samples.
        samples: how many were run.
    """

    sqnr_db: dict[str, float]
    samples: int


class InnerTensors:
    """One signature of a flatbuffer, all of whose tensors can be read after it has run."""

    def __init__(self, path: Path, contents: Inspection, key: str) -> None:
        """Opens the file.

        Args:
            path: the `.tflite` file.
            contents: what it holds.
            key: of the signature; of the only one, whatever its key.

        Raises:
            EvaluationError: LiteRT can't run it.
            ValueError, RuntimeError: the same, found earlier.
        """
        signatures = {signature.key: signature for signature in contents.signatures}
        signature = signatures[key] if len(signatures) > 1 else next(iter(signatures.values()))
        self._subgraph = signature.subgraph
        self._interpreter = Interpreter(
            model_path=str(path),
            num_threads=1,
            experimental_preserve_all_tensors=True,
            experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
        )
        self._runner = Runner(path, 1, (self._interpreter, signature.key))
        made = {operator.name for operator in contents.operators if operator.subgraph == self._subgraph}
        tensors = [tensor for tensor in contents.tensors if tensor.subgraph == self._subgraph]
        names = Counter(tensor.name for tensor in tensors)
        self.tensors = {
            tensor.name: (at, tensor)
            for at, tensor in enumerate(tensors)
            if tensor.name in made and names[tensor.name] == 1 and len(tensor.scales) <= 1
        }

    def run(self, sample: NamedSample) -> None:
        """Runs one sample.

        Raises:
            EvaluationError: it doesn't fit, or a kernel failed.
        """
        self._runner.run(sample.tensors)

    def values(self, name: str) -> npt.NDArray[np.float64] | None:
        """The real numbers that a tensor stands for; None where it holds none."""
        at, tensor = self.tensors[name]
        array: npt.NDArray[Any] = self._interpreter.get_tensor(at, self._subgraph)
        if array.dtype.kind not in "biuf":
            return None
        real = array.astype(np.float64)
        return (real - tensor.zero_points[0]) * tensor.scales[0] if tensor.scales else real


def compare(candidate: InnerTensors, float32: InnerTensors, samples: Iterable[NamedSample]) -> Compared:
    """Runs both models on some samples and compares the tensors that both have.

    Raises:
        EvaluationError: a model failed.
        DatasetError, PluginError: as the dataset says.
    """
    shared = [name for name in candidate.tensors if name in float32.tensors]
    powers = {name: np.zeros(2) for name in shared}
    begun, count = time.perf_counter(), 0
    for sample in samples:
        if count and time.perf_counter() - begun > _SECONDS:
            break
        candidate.run(sample)
        float32.run(sample)
        count += 1
        for name in list(powers):
            power = _powers(float32.values(name), candidate.values(name))
            if power is None:
                del powers[name]  # not the same thing in both, or not finite
            else:
                powers[name] += power
    return Compared({name: decibels(*power.tolist()) for name, power in powers.items()}, count)


def _powers(signal: npt.NDArray[np.float64] | None, values: npt.NDArray[np.float64] | None) -> Any:
    """Signal and error power; None for arrays that can't be compared."""
    if signal is None or values is None or signal.shape != values.shape:
        return None
    error = values - signal
    powers = np.array([np.vdot(signal, signal), np.vdot(error, error)])
    return powers if np.isfinite(powers).all() else None


def values_held(contents: Inspection) -> int:
    """How many values the tensors of a model hold that aren't constant, dynamic dimensions as one."""
    shapes = (tensor.shape for tensor in contents.tensors if not tensor.bytes)
    return sum(int(np.prod([max(1, size) for size in shape], dtype=np.int64)) for shape in shapes)
