"""Training on the samples of a dataset plugin, the same each time: seeded, streamed, in one thread of batches.

Keras's own `fit` would read the samples in threads of TensorFlow, where a typed error of a dataset gets lost, so the
loop stands here. It knows nothing of what the training is for.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf
import tf_keras

from recipekit.contracts import FinetuneSpec, Signature, Training
from recipekit.errors import DatasetError, OptimizationError
from recipekit.worker import progress
from recipekit.worker.optimization.carry_over import Carried
from recipekit.worker.samples import NamedSample, open_samples

_SHUFFLED = 1024
"""Samples among which each one is drawn at random: the dataset is never held whole."""

_OPTIMIZERS = {"adam": "Adam", "sgd": "SGD", "rmsprop": "RMSprop"}
_LOSSES = {
    "sparse_categorical_crossentropy": "SparseCategoricalCrossentropy",
    "categorical_crossentropy": "CategoricalCrossentropy",
    "binary_crossentropy": "BinaryCrossentropy",
    "mean_squared_error": "MeanSquaredError",
    "mean_absolute_error": "MeanAbsoluteError",
}
_OF_CLASSES = frozenset(name for name in _LOSSES if name.endswith("crossentropy"))


class FineTuning:
    """One training that is about to begin."""

    def __init__(self, step: str, spec: FinetuneSpec, samples: int, seed: int, folder: Path) -> None:
        """Reads nothing yet.

        Args:
            step: the recipe's key of what it belongs to.
            spec: the training.
            samples: number of samples in the dataset.
            seed: of their order; and of everything random in the model.
            folder: of the stage; it gets a folder for this training.
        """
        self._name = step
        self._where = f"optimize.{step}.finetune"
        self._spec = spec
        self._seed = seed
        self._folder = folder / step
        self.steps = math.ceil(samples / spec.batch_size) * spec.epochs

    def train(self, model: Any, carried: Carried, signature: Signature, callbacks: Sequence[Any] = ()) -> Training:
        """Trains a model.

        Args:
            model: made of the carried one.
            carried: tells names of inputs, and whether the outputs are probabilities.
            signature: that samples follow.
            callbacks: of tf_keras.

        Raises:
            DatasetError: a sample doesn't fit or has no label.
            OptimizationError: the loss doesn't fit the labels or isn't finite.
        """
        if len(carried.outputs) != 1:
            raise OptimizationError(
                f"training needs a model with one output; this one has {len(carried.outputs)}",
                where=self._where,
                fix="leave out `finetune`, or cut the model down to the output that has labels",
            )
        self._folder.mkdir()
        tf_keras.utils.set_random_seed(self._seed)
        reading = open_samples(self._spec.dataset, signature, self._folder)
        losses: list[float] = []
        step: _Step | None = None
        hooks = tf_keras.callbacks.CallbackList(list(callbacks), model=model)
        for epoch in range(self._spec.epochs):
            total = count = 0.0
            for inputs, labels in self._batches(reading, carried.inputs, epoch):
                if step is None:
                    step = _Step(model, self._compile(model, carried, labels), inputs, labels)
                    hooks.on_train_begin()
                if not count:
                    hooks.on_epoch_begin(epoch)
                hooks.on_train_batch_begin(0)
                total += self._loss(step, inputs, labels) * len(labels)
                hooks.on_train_batch_end(0)
                count += len(labels)
            hooks.on_epoch_end(epoch)
            losses.append(self._finite(total / count))
            told = f"{self._name}: epoch {epoch + 1} of {self._spec.epochs}, loss {losses[-1]:.4g}"
            progress.show(self._folder.parent, told)
        hooks.on_train_end()
        name = "" if step is None else step.loss_name
        return Training(samples=reading.sample_set(), loss=name, losses=tuple(losses))

    def _batches(
        self, reading: Any, names: Sequence[str], epoch: int
    ) -> Iterator[tuple[list[npt.NDArray[Any]], npt.NDArray[Any]]]:
        batch: list[NamedSample] = []
        for sample in _shuffled(reading, random.Random(f"{self._seed} {epoch}")):  # noqa: S311  no secret
            if sample.label is None:
                raise DatasetError(
                    "has no label, which training needs",
                    where=f"{self._where}.dataset: sample {sample.index} ('{sample.id}')",
                    fix="name the labels in the dataset's parameters",
                )
            batch.append(sample)
            if len(batch) == self._spec.batch_size:
                yield _stacked(batch, names)
                batch = []
        if batch:
            yield _stacked(batch, names)

    def _compile(self, model: Any, carried: Carried, labels: npt.NDArray[Any]) -> str:
        """Chooses a loss for the labels and makes the model ready; gives the loss's name."""
        last = carried.model.outputs[0]
        activation = _activation(last)
        name = self._spec.loss
        if name == "auto":
            name = _loss_for(labels, tuple(last.shape), activation)
        options = {"from_logits": activation not in ("softmax", "sigmoid")} if name in _OF_CLASSES else {}
        loss = getattr(tf_keras.losses, _LOSSES[name])(**options)
        optimizer = getattr(tf_keras.optimizers, _OPTIMIZERS[self._spec.optimizer])(self._spec.learning_rate)
        model.compile(optimizer, loss)
        return name

    def _loss(self, step: _Step, inputs: list[npt.NDArray[Any]], labels: npt.NDArray[Any]) -> float:
        try:
            return step(inputs, labels)
        except (ValueError, TypeError) as error:
            first_line = str(error).strip().splitlines()[-1].strip()
            raise OptimizationError(
                f"the model can't be trained on these samples: {type(error).__name__}: {first_line}",
                where=self._where,
                fix="let the labels fit the loss, or name another one under `loss`; the log holds the whole traceback",
            ) from error

    def _finite(self, loss: float) -> float:
        if not math.isfinite(loss):
            raise OptimizationError(
                f"the training diverged: its loss is {loss}",
                where=self._where,
                fix="choose a smaller `learning_rate`, or check the labels",
            )
        return loss


class _Step:
    """One step of training, traced once for batches of any size; Keras's own is traced again for the last one.

    Attributes:
        loss_name: Keras's name of the loss.
    """

    def __init__(self, model: Any, loss_name: str, inputs: list[npt.NDArray[Any]], labels: npt.NDArray[Any]) -> None:
        """Takes a compiled model and its first batch."""
        self.loss_name = loss_name
        self._model = model
        signature = ([_any_batch(array) for array in inputs], _any_batch(labels))
        self._run = tf.function(lambda x, y: model.train_step((x, y))["loss"], input_signature=signature)

    def __call__(self, inputs: list[npt.NDArray[Any]], labels: npt.NDArray[Any]) -> float:
        """Changes the model and gives the loss that it had on the batch."""
        self._model.reset_metrics()
        return float(self._run(inputs, labels))


def _any_batch(array: npt.NDArray[Any]) -> Any:
    return tf.TensorSpec((None, *array.shape[1:]), tf.as_dtype(array.dtype))


def _shuffled(reading: Any, draw: random.Random) -> Iterator[NamedSample]:
    """The samples in random order, each drawn among the next ones."""
    held: list[NamedSample] = []
    for sample in reading:
        held.append(sample)
        if len(held) > _SHUFFLED:
            yield held.pop(draw.randrange(len(held)))
    draw.shuffle(held)
    yield from held


def _stacked(batch: list[NamedSample], names: Sequence[str]) -> tuple[list[npt.NDArray[Any]], npt.NDArray[Any]]:
    return [np.stack([sample.tensors[name] for sample in batch]) for name in names], np.stack(
        [np.asarray(sample.label) for sample in batch]
    )


def _activation(output: Any) -> str:
    """The activation that gives a symbolic output; empty for none that is known."""
    layer = output._keras_history.layer
    if type(layer).__name__ == "Softmax":
        return "softmax"
    return getattr(getattr(layer, "activation", None), "__name__", "")


def _loss_for(labels: npt.NDArray[Any], output: tuple[int | None, ...], activation: str) -> str:
    """Class numbers ask for a cross entropy, one-hot labels too; any other number is a value to come close to."""
    whole = labels.dtype.kind in "biu"
    if whole and labels.ndim == len(output) - 1 and (output[-1] or 0) > 1:
        return "sparse_categorical_crossentropy"
    if activation == "softmax" and labels.ndim == len(output):
        return "categorical_crossentropy"
    if activation == "sigmoid" and (whole or set(np.unique(labels)) <= {0, 1}):
        return "binary_crossentropy"
    return "mean_squared_error"
