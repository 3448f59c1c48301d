"""Which losses a training sums up: one for each output that has labels, by the outputs' names.

A sample's label is one value where the model has one output, else a mapping of output names to values. Outputs without
a label, or that the recipe's mapping of losses leaves out, are not trained by themselves; they change with what they
share. This module trains nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import tf_keras

from recipekit.errors import DatasetError, OptimizationError
from recipekit.nearest import did_you_mean
from recipekit.worker.samples import NamedSample

_LOSSES = {
    "sparse_categorical_crossentropy": "SparseCategoricalCrossentropy",
    "categorical_crossentropy": "CategoricalCrossentropy",
    "binary_crossentropy": "BinaryCrossentropy",
    "mean_squared_error": "MeanSquaredError",
    "mean_absolute_error": "MeanAbsoluteError",
}
_OF_CLASSES = frozenset(name for name in _LOSSES if name.endswith("crossentropy"))

Labels = dict[str, npt.NDArray[Any]]
"""A batch of labels for each trained output."""


class Losses(NamedTuple):
    """The losses of a training.

    Attributes:
        outputs: names of all outputs of the model, in their order.
        names: Keras's name of a loss by the output that it is of.
    """

    outputs: tuple[str, ...]
    names: dict[str, str]

    @property
    def text(self) -> str:
        """All of them in words; a model's only output needs no name."""
        if len(self.outputs) == 1:
            return next(iter(self.names.values()))
        return ", ".join(f"{output}: {name}" for output, name in self.names.items())

    def of_keras(self, model: Any) -> Any:
        """What `compile` takes.

        Args:
            model: the functional model that the trained one was made of.
        """
        made = [self._made(output, tensor) for output, tensor in zip(self.outputs, model.outputs, strict=True)]
        return made if len(made) > 1 else made[0]

    def spread(self, labels: Mapping[str, Any]) -> Any:
        """Labels as a step of Keras takes them: in the order of the outputs, None for those that have no loss."""
        ordered = [labels.get(output) for output in self.outputs]
        return ordered if len(ordered) > 1 else ordered[0]

    def _made(self, output: str, tensor: Any) -> Any:
        name = self.names.get(output)
        if name is None:
            return None
        options = {"from_logits": _activation(tensor) not in ("softmax", "sigmoid")} if name in _OF_CLASSES else {}
        return getattr(tf_keras.losses, _LOSSES[name])(**options)


class Labelling:
    """Which outputs are trained, and the labels of samples by those outputs."""

    def __init__(self, outputs: tuple[str, ...], declared: str | dict[str, str], where: str) -> None:
        """Checks what the recipe says of losses.

        Args:
            outputs: names of the model's.
            declared: the recipe's `loss`, for all outputs that have labels, or by output.
            where: the recipe's key of the training.

        Raises:
            OptimizationError: the recipe names an output that the model lacks.
        """
        self._outputs = outputs
        self._declared = declared
        self._where = where
        self._trained: list[str] | None = None
        if isinstance(declared, dict):
            self._trained = [output for output in outputs if output in declared]
            unknown = next((output for output in declared if output not in outputs), None)
            if unknown is not None:
                raise OptimizationError(
                    f"the model has no output '{unknown}'{did_you_mean(unknown, outputs)}",
                    where=f"{where}.loss",
                    fix=f"its outputs are {', '.join(outputs)}",
                )

    def stacked(self, batch: Sequence[NamedSample]) -> Labels:
        """The labels of a batch.

        Raises:
            DatasetError: a sample has no label, one of no output of the model, or none of a trained one.
        """
        labels = [self._of(sample) for sample in batch]
        return {output: np.stack([np.asarray(each[output]) for each in labels]) for output in labels[0]}

    def losses(self, labels: Labels, model: Any) -> Losses:
        """The losses that suit labels.

        Args:
            labels: the first batch's.
            model: the functional model that the trained one was made of.
        """
        declared = self._declared
        names: dict[str, str] = {}
        for output, tensor in zip(self._outputs, model.outputs, strict=True):
            if output in labels:
                name = declared[output] if isinstance(declared, dict) else declared
                suits = _loss_for(labels[output], tuple(tensor.shape), _activation(tensor))
                names[output] = suits if name == "auto" else name
        return Losses(self._outputs, names)

    def _of(self, sample: NamedSample) -> dict[str, Any]:
        label = sample.label
        if label is None:
            raise self._wrong(
                sample, "has no label, which training needs", "name the labels in the dataset's parameters"
            )
        if not isinstance(label, Mapping):
            if len(self._outputs) > 1:
                raise self._wrong(
                    sample,
                    f"has one label, and the model {len(self._outputs)} outputs: {', '.join(self._outputs)}",
                    "give a mapping of output names to labels; outputs that it leaves out are not trained",
                )
            label = {self._outputs[0]: label}
        unknown = next((output for output in label if output not in self._outputs), None)
        if unknown is not None:
            raise self._wrong(
                sample,
                f"has a label for '{unknown}', which is no output of the model"
                f"{did_you_mean(str(unknown), self._outputs)}",
                f"the outputs are {', '.join(self._outputs)}",
            )
        if self._trained is None:
            self._trained = [output for output in self._outputs if output in label]
        missing = next((output for output in self._trained if output not in label), None)
        if missing is not None or not self._trained:
            lacking = f"'{missing}', which is trained" if missing else "any output"
            raise self._wrong(sample, f"has no label for {lacking}", "label every sample for the same outputs")
        return {output: label[output] for output in self._trained}

    def _wrong(self, sample: NamedSample, what: str, fix: str) -> DatasetError:
        return DatasetError(what, where=f"{self._where}.dataset: sample {sample.index} ('{sample.id}')", fix=fix)


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
