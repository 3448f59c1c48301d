"""Golden vectors as arrays: what goes in, what the reference kernels give, and what this machine's fast kernels give.

The reference kernels are plain loops without code for one processor or another, and those of TensorFlow Lite Micro are
made from them. So their outputs are what is recorded; what the fast kernels give differs from one processor to the next
and is only compared.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from ai_edge_litert import schema_py_generated as schema

from recipekit.contracts import GoldenReport, GoldenVectorsRequest, SampleSet, qualified
from recipekit.errors import DatasetError, EvaluationError
from recipekit.worker.interpreter import Runner, open_runners
from recipekit.worker.port import HeldTensor
from recipekit.worker.samples import NamedSample, Reading
from recipekit.worker.signature_samples import open_readings

NUMBERS = "biuf"
"""Kinds of dtype that a vector can hold."""


class Tensor(NamedTuple):
    """An input or output of a vector.

    Attributes:
        name: of the signature.
        position: among the inputs or outputs of the graph, by which TensorFlow Lite Micro finds it.
        array: as the model holds it, with the batch dimension.
        scale: of its quantization; 0.0 for none.
        zero_point: of its quantization.
    """

    name: str
    position: int
    array: npt.NDArray[Any]
    scale: float
    zero_point: int


class Vector(NamedTuple):
    """One golden vector.

    Attributes:
        sample: what the dataset calls the sample.
        signature: key of the signature; empty where the model has one alone.
        inputs: sorted by name.
        outputs: of the reference kernels, sorted by name.
    """

    sample: str
    signature: str
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]


Fast = Mapping[str, npt.NDArray[Any]]
"""What the fast kernels give to a vector, by output."""


def collect(request: GoldenVectorsRequest, folder: Path) -> Iterator[tuple[Vector, Fast]]:
    """The vectors, signature by signature, each beginning with the model as it is loaded.

    Args:
        request: of the stage.
        folder: for the list of the samples.

    Raises:
        EvaluationError, DatasetError, PluginError: see the stage.
    """
    candidate, keys = Path(request.candidate), list(request.signatures)
    places = _Places(candidate.read_bytes())
    readings = open_readings(request.dataset, request.signatures, folder)
    several = len(keys) > 1
    for key, reading in readings.parts.items():
        shown = key if several else ""
        graph = places.of(shown)
        for sample in _first(request.count, reading, request.samples.of(key)):
            # Anew for each: variables of the model keep their values from one sample to the next.
            reference, fast = (open_runners(candidate, keys, reference=slow)[key] for slow in (True, False))
            inputs, outputs = _run(reference, sample)
            _, others = _run(fast, sample)
            yield (
                Vector(sample.id, shown, _tensors(inputs, graph.inputs), _tensors(outputs, graph.outputs)),
                {name: held.array for name, held in others.items()},
            )


def report(collected: Iterable[tuple[Vector, Fast]]) -> GoldenReport:
    """How far the fast kernels are from the reference kernels, over all vectors."""
    steps: dict[str, int] = {}
    errors: dict[str, float] = {}
    count = 0
    for vector, fast in collected:
        count += 1
        for output in vector.outputs:
            name = qualified(vector.signature, output.name) if vector.signature else output.name
            if output.array.dtype.kind == "f":
                difference = np.abs(output.array.astype(np.float64) - fast[output.name])
                errors[name] = max(errors.get(name, 0.0), float(difference.max(initial=0.0)))
            else:
                wide = object if output.array.dtype.itemsize == 8 else np.int64
                distance = np.abs(output.array.astype(wide) - fast[output.name].astype(wide))
                steps[name] = max(steps.get(name, 0), int(distance.max(initial=0)))
    return GoldenReport(vectors=count, host_lsb=steps, host_abs_error=errors)


def _run(runner: Runner, sample: NamedSample) -> tuple[dict[str, HeldTensor], dict[str, HeldTensor]]:
    runner.feed(sample.tensors)
    inputs = runner.held_inputs()
    runner.invoke()
    return inputs, runner.held_outputs()


def _tensors(held: Mapping[str, HeldTensor], order: list[int]) -> tuple[Tensor, ...]:
    return tuple(_tensor(name, tensor, order) for name, tensor in sorted(held.items()))


def _tensor(name: str, held: HeldTensor, order: list[int]) -> Tensor:
    if held.array.dtype.kind not in NUMBERS:
        raise EvaluationError(
            f"golden vectors hold numbers, and '{name}' is {held.array.dtype}",
            where="artifacts.golden_vectors",
            fix="leave it out for this model",
        )
    if held.array.dtype.kind == "f" and not np.isfinite(held.array).all():
        raise EvaluationError(
            f"'{name}' isn't finite, so nothing can be compared with it",
            where="artifacts.golden_vectors",
            fix="look for overflow in the model and for such values in the samples",
        )
    return Tensor(name, order.index(held.tensor), held.array, held.scale, held.zero_point)


def _first(count: int, reading: Reading, surveyed: SampleSet) -> list[NamedSample]:
    """The first samples of a reading; the build is keyed by its survey, so they must be those that it saw."""
    with closing(iter(reading)) as samples:  # type: ignore[type-var]  # a generator, whose end closes the list
        chosen = list(islice(samples, count))
    with reading.log_path.open("rb") as ours, Path(surveyed.path).open("rb") as theirs:
        if list(islice(ours, count)) != list(islice(theirs, count)):
            raise DatasetError(
                "gives other samples than when the build began",
                where="evaluation.dataset",
                fix="make the dataset give the same samples in the same order each time, and leave its files alone",
            )
    return chosen


class _Graph(NamedTuple):
    """Indices of the tensors that a graph takes and gives, in its own order."""

    inputs: list[int]
    outputs: list[int]


class _Places:
    """Where the tensors of each signature stand among the inputs and outputs of its graph."""

    def __init__(self, flatbuffer: bytes) -> None:
        model = schema.Model.GetRootAs(flatbuffer)
        signatures = map(model.SignatureDefs, range(model.SignatureDefsLength()))
        self._graphs = {
            (one.SignatureKey() or b"").decode(): model.Subgraphs(one.SubgraphIndex()) for one in signatures
        }
        self._first = model.Subgraphs(0)

    def of(self, key: str) -> _Graph:
        """The graph of a signature; of the only one, where the key is empty."""
        graph = self._graphs[key] if key else next(iter(self._graphs.values()), self._first)
        return _Graph(
            [graph.Inputs(at) for at in range(graph.InputsLength())],
            [graph.Outputs(at) for at in range(graph.OutputsLength())],
        )
