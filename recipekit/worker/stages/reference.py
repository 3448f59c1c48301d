"""The stage `reference`: what the float model itself answers to the samples, the yardstick of parity and tasks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
import numpy as np
import numpy.typing as npt

from recipekit.contracts import Reference, ReferenceRequest, TensorLog, qualified
from recipekit.errors import EvaluationError
from recipekit.worker.progress import Counted
from recipekit.worker.samples import NamedSample
from recipekit.worker.signature_samples import open_readings
from recipekit.worker.source_model import SignatureModel
from recipekit.worker.stages.load import float_model

_BATCH = 32
_TRIED_ALONE = 8

Array = npt.NDArray[Any]


def run(request: ReferenceRequest, folder: Path) -> Reference:
    """Runs the float model on every sample and streams its outputs to files, one for each output.

    Raises:
        EvaluationError: the model fails on a sample, or an output varies in rank or isn't finite.
        DatasetError, PluginError: as the dataset says.
    """
    model = float_model(request.model)
    readings = open_readings(request.dataset, request.loaded.signatures, folder)
    with _OutputLogs(folder) as logs:
        for key, reading in readings.parts.items():
            prefix = qualified(key, "") if len(readings.parts) > 1 else ""
            samples = Counted(reading, reading.count, "samples")
            for answers, batch in _answered(model.by_signature(key), samples):
                logs.add({f"{prefix}{output}": values for output, values in answers.items()}, batch)
        return Reference(outputs=logs.records(), samples=readings.sample_set())


def _answered(
    model: SignatureModel, samples: Iterable[NamedSample]
) -> Iterator[tuple[dict[str, Array], list[NamedSample]]]:
    """The model's outputs by output name, and the samples that they belong to, in batches where that is possible."""
    stacked: bool | None = None
    for batch in _batches(samples, _BATCH if model.batched else 1):
        stacked = _is_independent(model, batch) if stacked is None else stacked
        for part in [batch] if stacked else [[sample] for sample in batch]:
            yield _answers(model, part), part


def _batches(samples: Iterable[NamedSample], size: int) -> Iterator[list[NamedSample]]:
    """Runs of samples with the same shapes, `size` at most."""
    pending: list[NamedSample] = []
    for sample in samples:
        if pending and (len(pending) == size or _shapes(sample) != _shapes(pending[0])):
            yield pending
            pending = []
        pending.append(sample)
    if pending:
        yield pending


def _shapes(sample: NamedSample) -> dict[str, tuple[int, ...]]:
    return {name: array.shape for name, array in sample.tensors.items()}


def _answers(model: SignatureModel, batch: list[NamedSample]) -> dict[str, Array]:
    """The model's outputs for a batch, by output name."""
    tensors = {name: np.stack([sample.tensors[name] for sample in batch]) for name in batch[0].tensors}
    try:
        return model(tensors)
    except Exception as error:
        raise EvaluationError(
            f"the float model failed: {type(error).__name__}: {_cause(error)}",
            where=_place(batch[0], batch[-1]),
            fix="check the samples against what the model expects; the log holds the whole traceback",
        ) from error


def _is_independent(model: SignatureModel, batch: list[NamedSample]) -> bool:
    """Whether samples of a batch get the answers that they get alone: a branch, or a sum over all, may see the batch.

    The converted model sees one sample at a time.
    """
    together = _answers(model, batch) if len(batch) > 1 else {}
    for at in range(0, len(batch), max(1, len(batch) // _TRIED_ALONE)) if together else ():
        alone = _answers(model, [batch[at]])
        for name, answers in together.items():
            if answers.shape[1:] != alone[name].shape[1:] or len(answers) != len(batch):
                return False
            if answers.dtype.kind == "f":
                least = 1e-3 * float(np.abs(answers).max(initial=0.0))
                if not np.allclose(answers[at], alone[name][0], rtol=0.0, atol=least, equal_nan=True):
                    return False
    return True


def _cause(error: Exception) -> str:
    """The first line of a message, or what comes after the heading of TensorFlow and the place in the graph."""
    lines = [line for line in map(str.strip, str(error).splitlines()) if line and not line.startswith("[[{{")]
    return lines[-1 if lines[0] == "Graph execution error:" else 0] if lines else "it gave no reason"


def _place(first: NamedSample, last: NamedSample) -> str:
    if first is last:
        return f"sample {first.index} ('{first.id}')"
    return f"samples {first.index} to {last.index} ('{first.id}' to '{last.id}')"


class _OutputLogs:
    """Writes each output to a raw file of its own, in the order of the samples."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: dict[str, BinaryIO] = {}
        self._logs: dict[str, TensorLog] = {}
        self._shapes: dict[str, list[tuple[int, ...]]] = {}

    def __enter__(self) -> _OutputLogs:
        return self

    def __exit__(self, *_: object) -> None:
        for file in self._files.values():
            file.close()

    def add(self, outputs: dict[str, Array], batch: list[NamedSample]) -> None:
        """Takes the outputs of a batch.

        Raises:
            EvaluationError: an output has no batch dimension, another rank than before, or isn't finite numbers.
        """
        for name, output in outputs.items():
            # An output without batch dimension belongs to its one sample.
            values = output[np.newaxis] if len(batch) == 1 and output.shape[:1] != (1,) else output
            if values.shape[:1] != (len(batch),):
                raise EvaluationError(
                    f"the output '{name}' has shape {values.shape} for {len(batch)} samples",
                    where=_place(batch[0], batch[-1]),
                    fix="give every output of the model a batch dimension",
                )
            _require_finite(name, values, batch)
            self._file(name, values, batch[0]).write(np.ascontiguousarray(values).data)

    def records(self) -> dict[str, TensorLog]:
        """The files by output name, complete on disk."""
        for file in self._files.values():
            file.flush()
        return {name: self._with_shapes(name, log) for name, log in self._logs.items()}

    def _with_shapes(self, name: str, log: TensorLog) -> TensorLog:
        """The record of an output, with the shape of each sample where they differ."""
        if len(set(self._shapes[name])) <= 1:
            return log
        path = Path(log.path).with_suffix(".shapes.npy")
        np.save(path, np.array(self._shapes[name], np.int64))
        return msgspec.structs.replace(log, shapes=str(path))

    def _file(self, name: str, values: Array, sample: NamedSample) -> BinaryIO:
        if name not in self._files:
            path = self._folder / f"output_{len(self._files)}.bin"
            self._files[name] = path.open("wb")
            self._logs[name] = TensorLog(path=str(path), dtype=values.dtype.name, shape=values.shape[1:])
            self._shapes[name] = []
        expected = self._logs[name].shape
        if values.ndim - 1 != len(expected):
            raise EvaluationError(
                f"the output '{name}' has shape {values.shape[1:]}, for the samples before {expected}",
                where=_place(sample, sample),
                fix="fix dynamic dimensions with source.input_shapes, so that every sample gives as many dimensions",
            )
        self._shapes[name] += [values.shape[1:]] * len(values)
        return self._files[name]


def _require_finite(name: str, values: Array, batch: list[NamedSample]) -> None:
    if values.dtype.kind in "OSU":
        raise EvaluationError(
            f"the output '{name}' is text, which can't be compared",
            where=_place(batch[0], batch[-1]),
            fix="let the model give numbers",
        )
    if values.dtype.kind in "biu":
        return
    finite = np.isfinite(values.reshape(len(batch), -1)).all(axis=1)
    if not finite.all():
        sample = batch[int(np.argmin(finite))]
        raise EvaluationError(
            f"the output '{name}' of the float model is not finite",
            where=_place(sample, sample),
            fix="check that sample and its preprocessing, or the model: it divides by zero or overflows there",
        )
