"""The stages that run models on the evaluation samples: the float model for reference, then the candidate."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import msgspec

from recipekit import extras
from recipekit.build import Job, plugin_code
from recipekit.contracts import (
    BENCHMARK,
    MEASURE,
    REFERENCE,
    BenchmarkRequest,
    BenchmarkSpec,
    DatasetSpec,
    Flatbuffer,
    MeasureRequest,
    ReferenceRequest,
    SampleSet,
    Signature,
    metric_files,
)
from recipekit.graph.datasets import dataset_section, same_samples
from recipekit.graph.node import Node, Records
from recipekit.inputs import Input
from recipekit.surroundings import Surroundings

_REPLICATES = 400
"""Bootstrap replicates behind an interval: enough for its ends to move by less than a tenth of its width."""


class Evaluated(NamedTuple):
    """What the candidate runs on, and what the survey of it gave."""

    dataset: DatasetSpec
    samples: SampleSet


class Evaluation:
    """The stages that run models.

    Attributes:
        reference: the float model's answers to the evaluation samples.
    """

    def __init__(
        self, job: Job, pinned: tuple[Input, ...], surroundings: Surroundings, load: Node, evaluated: Evaluated
    ) -> None:
        """Lays out the stages.

        Args:
            job: what is built.
            pinned: its inputs, from `build.pin_inputs`.
            surroundings: of the build.
            load: the float model.
            evaluated: the samples.
        """
        self._recipe = job.recipe
        self._read = {(entry.role, entry.name): entry for entry in pinned}
        self._surroundings = surroundings
        self._load = load
        self._evaluated = evaluated
        self._section = dataset_section(job.recipe, "evaluation")
        self.reference = self._reference()

    def _reference(self) -> Node:
        model, (dataset, samples) = self._recipe.model, self._evaluated
        return Node(
            stage=REFERENCE.on(self._load.stage.worker),
            surroundings=self._surroundings,
            inputs={"samples": samples.sha256},
            needs=(self._load,),
            request=lambda records: ReferenceRequest(model=model, loaded=records["load"], dataset=dataset),
            note=lambda reference: f"float model on {reference.samples.count} samples",
            reads=self._load.reads,
            check=same_samples(samples, dataset),
            dataset=self._section,
        )

    def measure(self, signatures: dict[str, Signature], candidate: Flatbuffer, float32: Flatbuffer) -> Node:
        """The candidate's comparison with the float model; the same for candidates of the same bytes.

        Args:
            signatures: the float model's, by key.
            candidate: the converted model.
            float32: the float32 conversion.
        """
        dataset, samples = self._evaluated
        recipe = self._recipe
        evaluation = recipe.evaluation
        reads = tuple(self._metric_inputs(evaluation.metric_plugins))
        replicates = 0 if recipe.acceptance.confidence is None else _REPLICATES
        inputs = {
            "candidate": candidate.sha256,
            "float32_size": float32.size,
            "samples": samples.sha256,
            "metrics": evaluation.metrics,
            "replicates": replicates,
            "seed": recipe.seed if replicates else None,
            "read": {entry.name: entry.digest for entry in reads},
        }
        if packages := self._surroundings.packages_of(extras.of_metrics(dict(evaluation.metric_plugins))):
            inputs["packages"] = packages

        def request(records: Records) -> MeasureRequest:
            return MeasureRequest(
                candidate=candidate.path,
                float32=float32.path,
                signatures=signatures,
                dataset=dataset,
                reference=records["reference"],
                metrics=evaluation.metrics,
                replicates=replicates,
                seed=recipe.seed,
            )

        return Node(
            stage=MEASURE,
            surroundings=self._surroundings,
            inputs=inputs,
            needs=(self.reference,),
            request=request,
            note=lambda measured: _ran_on(measured.samples),
            reads=(*reads, *self._load.reads),
            check=same_samples(samples, dataset),
            dataset=self._section,
        )

    def _metric_inputs(self, metrics: Iterable[tuple[str, Mapping[str, Any]]]) -> Iterator[Input]:
        for name, parameters in metrics:
            yield from (self._read["plugin", address] for address in plugin_code("metrics", name))
            yield from (self._read["dataset", path] for path in metric_files(name, parameters).values())

    def benchmark(
        self, signatures: dict[str, Signature], candidate: Flatbuffer, float32: Flatbuffer, spec: BenchmarkSpec
    ) -> Node:
        """The candidate's latency beside that of the float32 conversion; see `measure`.

        Args:
            signatures: the float model's, by key.
            candidate: the converted model.
            float32: the float32 conversion.
            spec: how it is measured.
        """
        dataset, samples = self._evaluated
        inputs = {
            "candidate": candidate.sha256,
            "float32": float32.sha256,
            "samples": samples.sha256,
            "benchmark": msgspec.to_builtins(spec),
        }
        request = BenchmarkRequest(
            candidate=candidate.path, float32=float32.path, signatures=signatures, dataset=dataset, benchmark=spec
        )
        return Node(
            stage=BENCHMARK,
            surroundings=self._surroundings,
            inputs=inputs,
            request=lambda _: request,
            note=lambda latencies: f"{latencies.candidate.p50_ms:.3g} ms, float32 {latencies.float32.p50_ms:.3g} ms",
            reads=self._load.reads,
            dataset=self._section,
        )


def _ran_on(samples: SampleSet | None) -> str:
    return "the converted model can't be run" if samples is None else f"converted model on {samples.count} samples"
