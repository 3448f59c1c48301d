"""Training on the samples of a dataset plugin, the same each time: seeded, streamed, in one thread of batches.

Keras's own `fit` would read the samples in threads of TensorFlow, where a typed error of a dataset gets lost, so the
loop stands here. It knows nothing of what the training is for.
"""

from __future__ import annotations

import math
import random
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf
import tf_keras

from recipekit.contracts import FinetuneSpec, Signature, Training
from recipekit.errors import OptimizationError
from recipekit.worker import progress
from recipekit.worker.optimization.carry_over import Carried
from recipekit.worker.optimization.losses import Labelling, Labels, Losses
from recipekit.worker.samples import NamedSample, open_samples

_SHUFFLED = 1024
"""Samples among which each one is drawn at random: the dataset is never held whole."""

_OPTIMIZERS = {"adam": "Adam", "sgd": "SGD", "rmsprop": "RMSprop"}


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
            carried: tells names of inputs and outputs, and whether the outputs are probabilities.
            signature: that samples follow.
            callbacks: of tf_keras.

        Raises:
            DatasetError: a sample doesn't fit or has no label.
            OptimizationError: a loss doesn't fit the labels or is of no output of the model, or it or a weight isn't
                finite any more.
        """
        labelling = Labelling(carried.outputs, self._spec.loss, self._where)
        self._folder.mkdir()
        tf_keras.utils.set_random_seed(self._seed)
        reading = open_samples(self._spec.dataset, signature, self._folder)
        means: list[float] = []
        behind = 0
        step: _Step | None = None
        hooks = tf_keras.callbacks.CallbackList(list(callbacks), model=model)
        for epoch in range(self._spec.epochs):
            total = count = 0.0
            for batch in self._batches(reading, epoch):
                progress.tell(behind, self.steps, "steps", self._told(epoch, means))
                behind += 1
                inputs, labels = _stacked(batch, carried.inputs), labelling.stacked(batch)
                if step is None:
                    losses = labelling.losses(labels, carried.model)
                    model.compile(self._optimizer(), losses.of_keras(carried.model))
                    step = _Step(model, losses, inputs, labels)
                    hooks.on_train_begin()
                if not count:
                    hooks.on_epoch_begin(epoch)
                hooks.on_train_batch_begin(0)
                total += self._loss(step, inputs, labels) * len(batch)
                hooks.on_train_batch_end(0)
                count += len(batch)
            hooks.on_epoch_end(epoch)
            means.append(total / count)
            self._check(model, means[-1])
            sys.stdout.write(f"{self._told(epoch, means)}\n")
            sys.stdout.flush()
        hooks.on_train_end()
        name = "" if step is None else step.losses.text
        return Training(samples=reading.sample_set(), loss=name, losses=tuple(means))

    def _told(self, epoch: int, means: Sequence[float]) -> str:
        """The training, the epoch, and the mean loss of the last one that has ended."""
        loss = f", loss {means[-1]:.4g}" if means else ""
        return f"{self._name}: epoch {epoch + 1} of {self._spec.epochs}{loss}"

    def _batches(self, reading: Any, epoch: int) -> Iterator[list[NamedSample]]:
        batch: list[NamedSample] = []
        for sample in _shuffled(reading, random.Random(f"{self._seed} {epoch}")):  # noqa: S311  no secret
            batch.append(sample)
            if len(batch) == self._spec.batch_size:
                yield batch
                batch = []
        if batch:
            yield batch

    def _optimizer(self) -> Any:
        return getattr(tf_keras.optimizers, _OPTIMIZERS[self._spec.optimizer])(self._spec.learning_rate)

    def _loss(self, step: _Step, inputs: list[npt.NDArray[Any]], labels: Labels) -> float:
        try:
            return step(inputs, labels)
        except (ValueError, TypeError) as error:
            first_line = str(error).strip().splitlines()[-1].strip()
            raise OptimizationError(
                f"the model can't be trained on these samples: {type(error).__name__}: {first_line}",
                where=self._where,
                fix="let the labels fit the loss, or name another one under `loss`; the log holds the whole traceback",
            ) from error

    def _check(self, model: Any, loss: float) -> None:
        """Refuses a training that diverges: on some processors the loss stays finite where weights do not."""
        broken = [weight.name for weight in model.weights if not np.isfinite(weight.numpy()).all()]
        if broken or not math.isfinite(loss):
            raise OptimizationError(
                f"the training diverged: its loss is {loss:.4g}{f', {broken[0]!r} no longer finite' if broken else ''}",
                where=self._where,
                fix="choose a smaller `learning_rate`, or check the labels",
            )


class _Step:
    """One step of training, traced once for batches of any size; Keras's own is traced again for the last one.

    Attributes:
        losses: that it sums up.
    """

    def __init__(self, model: Any, losses: Losses, inputs: list[npt.NDArray[Any]], labels: Labels) -> None:
        """Takes a compiled model and its first batch."""
        self.losses = losses
        self._model = model
        signature = ([_any_batch(array) for array in inputs], {name: _any_batch(each) for name, each in labels.items()})
        self._run = tf.function(lambda x, y: model.train_step((x, losses.spread(y)))["loss"], input_signature=signature)

    def __call__(self, inputs: list[npt.NDArray[Any]], labels: Labels) -> float:
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


def _stacked(batch: list[NamedSample], names: Sequence[str]) -> list[npt.NDArray[Any]]:
    return [np.stack([sample.tensors[name] for sample in batch]) for name in names]
