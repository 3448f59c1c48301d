"""A converted model's outputs beside the float model's, sample by sample: parity, and all of them where scores need it.

It knows neither runtimes nor datasets: outputs come in one sample at a time, the reference from files.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from recipekit.contracts import Parity, Reference, TensorLog
from recipekit.errors import DatasetError, EvaluationError
from recipekit.worker.parity import ParityAccumulator

_BLOCK_BYTES = 1 << 20
_BLOCK_SAMPLES = 256

Outputs = dict[str, npt.NDArray[Any]]
Answers = npt.NDArray[Any] | list[npt.NDArray[Any]]
"""An output's values, an array a sample; in a list where the samples differ in shape."""


class Comparison:
    """Collects the converted model's outputs in the order of the reference's samples.

    Attributes:
        reference: the float model's outputs by name, shape (samples, *shape), read from disk as they are needed; those
            that differ in shape from sample to sample are compared, too, but not among them.
        expected: all of its outputs by name, an array a sample.
    """

    def __init__(self, reference: Reference, keep: bool) -> None:
        """Opens the reference.

        Args:
            reference: the float model's outputs.
            keep: whether all outputs of the converted model are held for `converted`.

        Raises:
            EvaluationError: outputs are to be held, and one differs in shape from sample to sample.
        """
        self._samples = reference.samples.count
        varying = {name: log for name, log in reference.outputs.items() if log.shapes}
        if keep and varying:
            raise _several_shapes(next(iter(varying)))
        uniform = {name: log for name, log in reference.outputs.items() if not log.shapes}
        self.reference = {name: _open(log, self._samples) for name, log in uniform.items()}
        self._varying = {name: _split(log) for name, log in varying.items()}
        self.expected: dict[str, Answers] = {**self.reference, **self._varying}
        self._shapes = {name: log.shape for name, log in uniform.items()}
        self._parity = {name: ParityAccumulator(name) for name in reference.outputs}
        values = sum(math.prod(array.shape[1:]) for array in self.reference.values())
        values += sum(max(array.size for array in arrays) for arrays in self._varying.values())
        self._block_size = max(1, min(_BLOCK_SAMPLES, _BLOCK_BYTES // max(1, 8 * values)))
        self._block: list[Mapping[str, npt.NDArray[Any]]] = []
        self._compared = 0
        self._kept: list[Outputs] | None = [] if keep else None

    def add(self, outputs: Mapping[str, npt.NDArray[Any]]) -> None:
        """Takes the outputs of the next sample, by name, without batch dimension.

        Raises:
            DatasetError: the reference has no such sample.
            EvaluationError: an output has another shape than the float model's, or isn't finite.
        """
        position = self._compared + len(self._block)
        if position >= self._samples:
            raise _other_count(f"more than {self._samples}", self._samples)
        expected = {name: arrays[position].shape for name, arrays in self._varying.items()}
        for name, shape in {**self._shapes, **expected}.items():
            if outputs[name].shape != shape:
                raise EvaluationError(
                    f"the converted model gives shape {outputs[name].shape} for sample {position}, the float model "
                    f"{shape}",
                    where=f"output '{name}'",
                    fix="fix dynamic dimensions with `source.input_shapes`",
                )
        self._block.append(outputs)
        if len(self._block) == self._block_size:
            self._compare_block()

    def parity(self) -> dict[str, Parity]:
        """The parity of each output by name, once every sample was added.

        Raises:
            DatasetError: fewer samples were added than the reference has.
            EvaluationError: an output isn't finite, or holds no values.
        """
        self._compare_block()
        if self._compared != self._samples:
            raise _other_count(str(self._compared), self._samples)
        return {name: accumulator.result() for name, accumulator in self._parity.items()}

    def converted(self) -> Outputs:
        """The converted model's outputs by name, shape (samples, *shape); only with `keep`, after `parity`."""
        blocks = self._kept or []
        return {name: np.concatenate([block[name] for block in blocks]) for name in self.reference}

    def _compare_block(self) -> None:
        if not self._block:
            return
        end = self._compared + len(self._block)
        stacked = {name: np.stack([outputs[name] for outputs in self._block]) for name in self.reference}
        for name, converted in stacked.items():
            self._parity[name].add(self.reference[name][self._compared : end], converted)
        for name, arrays in self._varying.items():
            for expected, outputs in zip(arrays[self._compared : end], self._block, strict=True):
                self._parity[name].add(expected[np.newaxis], outputs[name][np.newaxis])
        if self._kept is not None:
            self._kept.append(stacked)
        self._block = []
        self._compared = end


def _open(log: TensorLog, samples: int) -> npt.NDArray[Any]:
    shape = (samples, *log.shape)
    if math.prod(shape) == 0:
        return np.empty(shape, log.dtype)  # an empty file can't be mapped
    return np.asarray(np.memmap(log.path, log.dtype, "r", shape=shape))


def _split(log: TensorLog) -> list[npt.NDArray[Any]]:
    """An output whose samples differ in shape, as an array a sample."""
    shapes = np.load(log.shapes)
    sizes = shapes.prod(axis=1)
    values = _open(msgspec.structs.replace(log, shape=()), int(sizes.sum()))
    parts = np.split(values, np.cumsum(sizes)[:-1])
    return [part.reshape(shape) for part, shape in zip(parts, shapes, strict=True)]


def _several_shapes(name: str) -> EvaluationError:
    return EvaluationError(
        "differs in shape from sample to sample, and a task metric takes one shape alone",
        where=f"output '{name}'",
        fix="bring the samples to one size with `preprocess`, or take `evaluation.metrics` out",
    )


def _other_count(got: str, expected: int) -> DatasetError:
    return DatasetError(
        f"gave {got} samples to the converted model, and {expected} to the float model",
        where="evaluation.dataset",
        fix="make the dataset give the same samples each time it is read",
    )
