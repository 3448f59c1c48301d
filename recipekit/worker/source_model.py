"""What every source gives: a float model that the stages `load` and `reference` can use, whatever runs it.

It must not import TensorFlow: a float `.tflite` goes through both stages without it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy.typing as npt

from recipekit.contracts import LoadedModel, SourceSpec


class SignatureModel(Protocol):
    """One signature of a loaded float model."""

    @property
    def batched(self) -> bool:
        """Whether samples can be stacked."""

    def __call__(self, inputs: Mapping[str, npt.NDArray[Any]]) -> dict[str, npt.NDArray[Any]]:
        """Runs the model on arrays with batch dimension, by name; gives its outputs in the same way."""


class SourceModel(Protocol):
    """A loaded float model. A source is a callable `source(spec: ModelSpec) -> SourceModel`.

    A model may keep state in variables from call to call. It begins with the state that its source holds, and answers
    to samples in their order, as its conversion does.
    """

    @property
    def stateful(self) -> bool:
        """Whether its answers depend on the calls before."""

    def by_signature(self, key: str) -> SignatureModel:
        """What computes one of its signatures; for a model with one signature the key doesn't matter."""

    def loaded(self, folder: Path, source: SourceSpec) -> LoadedModel:
        """What is converted: the source itself, or what is written of it into a folder.

        Raises:
            SourceError: `input_shapes` contradict the model, or it can't be written.
        """
