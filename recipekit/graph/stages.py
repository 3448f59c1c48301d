"""The stages of a build that follow from its samples, from the float model to the measured candidate."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from recipekit.build import Job, plugin_code
from recipekit.contracts import (
    BENCHMARK,
    CALIBRATE,
    LOAD,
    LOWER,
    MEASURE,
    QUANTIZE,
    REFERENCE,
    BenchmarkRequest,
    BenchmarkSpec,
    CalibrateRequest,
    Calibration,
    DatasetSpec,
    Flatbuffer,
    LoadedModel,
    LoadRequest,
    LowerRequest,
    MeasureRequest,
    QuantizeRequest,
    Record,
    Reference,
    ReferenceRequest,
    SampleSet,
    Stage,
)
from recipekit.graph.node import Node, Records
from recipekit.inputs import Input
from recipekit.recipe import Recipe
from recipekit.samples import require_same_samples
from recipekit.surroundings import Surroundings

_REPLICATES = 400
"""Bootstrap replicates behind an interval: enough for its ends to move by less than a tenth of its width."""

_ENGINE_WORKERS = {"ai_edge_quantizer": "litert"}
"""Engines that do without TensorFlow."""


def load_stage(job: Job, pinned: tuple[Input, ...], surroundings: Surroundings) -> Node:
    """The stage that everything but the samples begins with, known before they are.

    Args:
        job: what is built.
        pinned: its inputs, from `build.pin_inputs`.
        surroundings: of the build.
    """
    model = job.recipe.model
    source = model.source
    roles = {"model-source", "custom-layer"}
    reads = tuple(entry for entry in pinned if entry.role in roles or entry.name == (source.factory or None))
    declared = msgspec.to_builtins(source)
    del declared["path"]
    inputs = {
        "source": {**declared, "suffix": Path(source.path).suffix},
        "custom_layers": msgspec.to_builtins(model.custom_layers),
        "seed": model.seed,
        "read": {entry.name: entry.digest for entry in reads},
    }
    stage = LOAD.on("litert") if source.kind == "tflite" else LOAD
    return Node(
        label=stage.name,
        stage=stage,
        inputs=inputs,
        tools=surroundings.tools_digest(stage.worker),
        needs=(),
        request=lambda _: LoadRequest(model=model),
        note=lambda loaded: f"{loaded.loader}: {loaded.reason}",
        reads=reads,
        places={"source": source.path} if source.path else {},
    )


class Graph:
    """The stages of one job.

    Attributes:
        load: the float model.
        candidate: the stage whose record is the converted model, or whose source it is.
        measure: the candidate's comparison.
        benchmark: its latency; None where no benchmark is asked for.
    """

    def __init__(
        self,
        job: Job,
        pinned: tuple[Input, ...],
        surroundings: Surroundings,
        load: Node,
        samples: Mapping[str, SampleSet],
    ) -> None:
        """Lays out the stages.

        Args:
            job: what is built.
            pinned: its inputs, from `build.pin_inputs`.
            surroundings: of the build.
            load: from `load_stage`.
            samples: the surveys' records by role, `calibration-samples` and `evaluation-samples`.
        """
        self._recipe = recipe = job.recipe
        self._plugins = {entry.name: entry for entry in pinned if entry.role == "plugin"}
        self._surroundings = surroundings
        self._evaluated = samples["evaluation-samples"]
        self.load = load
        self._float32 = load if recipe.model.source.kind == "tflite" else self._lower()
        self.candidate = self._float32
        if recipe.converter.quantization != "none" or recipe.converter.rules:
            self.candidate = self._quantize(samples.get("calibration-samples"))
        self.measure = self._measure()
        self.benchmark = None if recipe.evaluation.benchmark is None else self._benchmark(recipe.evaluation.benchmark)

    @staticmethod
    def model_file(record: LoadedModel | Flatbuffer) -> Path:
        """The `.tflite` in the record of a candidate."""
        return Path(record.flatbuffer if isinstance(record, LoadedModel) else record.path)

    def _reference(self) -> Node:
        model, dataset = self._recipe.model, self._recipe.evaluation.dataset
        return self._node(
            REFERENCE.on(self.load.stage.worker),
            {"samples": self._evaluated.sha256},
            (self.load,),
            lambda records: ReferenceRequest(model=model, loaded=records["load"], dataset=dataset),
            lambda reference: f"float model on {reference.samples.count} samples",
            dataset=dataset_section(self._recipe, "evaluation"),
            check=_same(self._evaluated, dataset),
        )

    def _lower(self) -> Node:
        lowering = self._recipe.converter.lowering
        return self._node(
            LOWER,
            {"lowering": msgspec.to_builtins(lowering)},
            (self.load,),
            lambda records: LowerRequest(loaded=records["load"], lowering=lowering),
            lambda flatbuffer: f"float32, {flatbuffer.size:,} bytes",
        )

    def _calibrate(self, samples: SampleSet, dataset: DatasetSpec) -> Node:
        spec = self._recipe.converter.calibration
        return self._node(
            CALIBRATE.on(self._engine_worker()),
            {"calibration": msgspec.to_builtins(spec), "samples": samples.sha256},
            self._beginnings(),
            lambda records: CalibrateRequest(
                loaded=records["load"], float32=self._float32_path(records), calibration=spec, dataset=dataset
            ),
            lambda calibration: f"ranges of {calibration.samples.count} samples",
            dataset=dataset_section(self._recipe, "calibration"),
            check=_same(samples, dataset),
        )

    def _quantize(self, samples: SampleSet | None) -> Node:
        converter, dataset = self._recipe.converter, self._recipe.calibration
        needs = self._beginnings()
        if samples is not None and dataset is not None:
            needs = (*needs, self._calibrate(samples, dataset))

        def request(records: Records) -> QuantizeRequest:
            calibration: Calibration | None = records.get("calibrate")
            return QuantizeRequest(
                loaded=records["load"],
                float32=self._float32_path(records),
                converter=converter,
                calibration=calibration,
                dataset=dataset if calibration is not None else None,
            )

        return self._node(
            QUANTIZE.on(self._engine_worker()),
            {"converter": msgspec.to_builtins(converter)},
            needs,
            request,
            lambda flatbuffer: f"{converter.quantization}, {flatbuffer.size:,} bytes",
            dataset=dataset_section(self._recipe, "calibration"),
        )

    def _measure(self) -> Node:
        recipe = self._recipe
        evaluation = recipe.evaluation
        reads = tuple(self._plugins[address] for name in evaluation.metrics for address in plugin_code("metrics", name))
        replicates = 0 if recipe.acceptance.confidence is None else _REPLICATES
        inputs = {
            "samples": self._evaluated.sha256,
            "metrics": evaluation.metrics,
            "replicates": replicates,
            "seed": recipe.seed if replicates else None,
            "read": {entry.name: entry.digest for entry in reads},
        }

        def request(records: Records) -> MeasureRequest:
            outputs: Reference = records["reference"]
            return MeasureRequest(
                candidate=str(self.model_file(records[self.candidate.label])),
                float32=self._float32_path(records),
                signature=records["load"].signature,
                dataset=evaluation.dataset,
                reference=outputs,
                metrics=evaluation.metrics,
                replicates=replicates,
                seed=recipe.seed,
            )

        return self._node(
            MEASURE,
            inputs,
            _once((self.load, self._float32, self.candidate, self._reference())),
            request,
            lambda measured: f"converted model on {measured.samples.count} samples",
            reads=reads,
            dataset=dataset_section(self._recipe, "evaluation"),
            check=_same(self._evaluated, evaluation.dataset),
        )

    def _benchmark(self, spec: BenchmarkSpec) -> Node:
        evaluation = self._recipe.evaluation

        def request(records: Records) -> BenchmarkRequest:
            return BenchmarkRequest(
                candidate=str(self.model_file(records[self.candidate.label])),
                float32=self._float32_path(records),
                signature=records["load"].signature,
                dataset=evaluation.dataset,
                benchmark=spec,
            )

        return self._node(
            BENCHMARK,
            {"samples": self._evaluated.sha256, "benchmark": msgspec.to_builtins(spec)},
            _once((self.load, self._float32, self.candidate)),
            request,
            lambda latencies: f"{latencies.candidate.p50_ms:.3g} ms, float32 {latencies.float32.p50_ms:.3g} ms",
            dataset=dataset_section(self._recipe, "evaluation"),
        )

    def _node(
        self,
        stage: Stage,
        inputs: Mapping[str, Any],
        needs: tuple[Node, ...],
        request: Callable[[Records], Record],
        note: Callable[[Any], str],
        **more: Any,
    ) -> Node:
        tools = self._surroundings.tools_digest(stage.worker)
        return Node(stage.name, stage, inputs, tools, needs, request, note, **more)

    def _beginnings(self) -> tuple[Node, ...]:
        """What every conversion begins with: the float model and its float32 conversion."""
        return _once((self.load, self._float32))

    def _float32_path(self, records: Records) -> str:
        return str(self.model_file(records[self._float32.label]))

    def _engine_worker(self) -> str:
        return _ENGINE_WORKERS.get(self._recipe.converter.engine, "tensorflow")


def dataset_section(recipe: Recipe, role: str) -> str:
    """The recipe's key of the dataset of a role, `calibration` or `evaluation`."""
    if role == "calibration" or "evaluation" not in recipe.resolved:
        return "representative_dataset"
    return "evaluation.dataset"


def _same(samples: SampleSet, dataset: DatasetSpec) -> Callable[[Any], None]:
    return lambda record: require_same_samples(samples, record.samples, dataset.plugin)


def _once(nodes: tuple[Node, ...]) -> tuple[Node, ...]:
    """The nodes without repetitions; the candidate may be the float32 conversion, or the source itself."""
    return tuple({node.label: node for node in nodes}.values())
