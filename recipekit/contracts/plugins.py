"""What plugins take, give and follow. NumPy is named in types alone: the parent process does without it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from recipekit.contracts.stages import CalibrateRequest, QuantizeRequest


@dataclass(frozen=True)
class Sample:
    """One sample of a dataset.

    Attributes:
        id: what names it in messages and records: a file path relative to the dataset, a row number ...
        tensors: arrays without batch dimension by input name; a bare array where the model has one input.
        label: the target of task metrics: a number, a text or an array; None where there is none.
    """

    id: str
    tensors: Mapping[str, npt.NDArray[Any]] | npt.NDArray[Any]
    label: Any = field(default=None)


@dataclass(frozen=True)
class DatasetContext:
    """What a dataset plugin is told besides its parameters: the project root and the recipe's seed."""

    root: Path
    seed: int


@runtime_checkable
class Dataset(Protocol):
    """A dataset that knows its length and gives any sample by its index, so that it can be shuffled and streamed.

    A plugin is a callable `plugin(context: DatasetContext, **params) -> Dataset`.
    """

    def __len__(self) -> int:
        """Number of samples."""

    def __getitem__(self, index: int, /) -> Sample:
        """The sample at `index`, the same one each time it is asked for."""


class StreamedDataset(Protocol):
    """A dataset that can only be read from its beginning; the recipe then can't shuffle it."""

    def __iter__(self) -> Iterator[Sample]:
        """Every sample, in the same order each time."""


class Metric(Protocol):
    """A task metric. A plugin is a callable `plugin(**params) -> Metric`."""

    higher_is_better: bool

    def score(
        self, labels: npt.NDArray[Any], outputs: Mapping[str, npt.NDArray[Any]], weights: npt.NDArray[np.float64] | None
    ) -> float:
        """The metric of outputs (by output name, first axis = samples) against labels, samples weighted.

        Labels that differ in shape come as an array of arrays (dtype object).
        """

    def hits(self, labels: npt.NDArray[Any], outputs: Mapping[str, npt.NDArray[Any]]) -> npt.NDArray[np.bool_] | None:
        """For a metric that is the share of right samples, which ones are right; None for others."""


class Engine(Protocol):
    """A conversion engine: what makes a candidate of a float model. A plugin is a callable `plugin() -> Engine`.

    Samples come as `recipekit.worker.samples.NamedSample`, one at a time; each iteration reads them anew.
    """

    def calibrate(self, request: CalibrateRequest, samples: Iterable[Any]) -> bytes:
        """The ranges of a model's tensors, in a form of the engine's own; reads every sample once."""

    def quantize(self, request: QuantizeRequest, samples: Iterable[Any] | None) -> bytes:
        """The flatbuffer; the same bytes for the same request, in any process. Samples only if it can't do without."""
