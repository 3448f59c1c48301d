"""The stages of a build that follow from its samples, from the float model to the measured candidate."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import msgspec

from recipekit import extras
from recipekit.build import Job, plugin_code
from recipekit.contracts import (
    BENCHMARK,
    CALIBRATE,
    CURVE,
    LOWER,
    MEASURE,
    QUANTIZE,
    REFERENCE,
    UNROLL,
    BenchmarkRequest,
    BenchmarkSpec,
    CalibrateRequest,
    Calibration,
    ConverterSpec,
    CurveRequest,
    DatasetSpec,
    Flatbuffer,
    LoadedModel,
    LowerRequest,
    MeasureRequest,
    QuantizeRequest,
    Record,
    ReferenceRequest,
    SampleSet,
    Signature,
    Stage,
    UnrollRequest,
    metric_files,
)
from recipekit.errors import InternalError
from recipekit.graph.examination import examine
from recipekit.graph.node import Node, Records
from recipekit.graph.optimization import confirm_stage, converted_model, encode_stage, optimize_stage
from recipekit.inputs import Input
from recipekit.recipe import Recipe
from recipekit.samples import require_same_samples
from recipekit.surroundings import Surroundings

_REPLICATES = 400
"""Bootstrap replicates behind an interval: enough for its ends to move by less than a tenth of its width."""

_ENGINE_WORKERS = {"ai_edge_quantizer": "litert"}
"""Engines that do without TensorFlow."""


class _Evaluated(NamedTuple):
    """What the candidate runs on, and what the survey of it gave."""

    dataset: DatasetSpec
    samples: SampleSet


class Graph:
    """The stages of one job.

    Attributes:
        load: the float model.
        references: its answers to the evaluation samples; nothing where the candidate isn't run.
        float32: its float32 conversion; `load` where the source is one.
        converted: the float model that the candidate is made of: `load`, or what it becomes for calibration.
        candidate: the conversion that the recipe asks for.
    """

    def __init__(
        self,
        job: Job,
        pinned: tuple[Input, ...],
        surroundings: Surroundings,
        load: Node,
        samples: Mapping[str, SampleSet],
        loops: tuple[str, ...] = (),
    ) -> None:
        """Lays out the stages.

        Args:
            job: what is built.
            pinned: its inputs, from `build.pin_inputs`.
            surroundings: of the build.
            load: from `load_stage`.
            samples: the surveys' records by role: `calibration-samples`, `evaluation-samples`, and `<step>-samples` for
                each training of `optimize`.
            loops: of the record of `load`.
        """
        self._recipe = recipe = job.recipe
        self._read = {(entry.role, entry.name): entry for entry in pinned}
        self._surroundings = surroundings
        dataset = recipe.evaluation.dataset
        self._evaluated = None if dataset is None else _Evaluated(dataset, samples["evaluation-samples"])
        self.load = load
        self.references = () if self._evaluated is None else (self._reference(self._evaluated),)
        self.float32 = load if recipe.model.source.kind == "tflite" else self._lower(load)
        self.converted, self._base = load, self.float32
        if recipe.optimize is not None:
            self.converted = optimize_stage(job, recipe.optimize, surroundings, load, samples)
            if not recipe.optimize.trains_ranges:
                self._base = replace(self._lower(self.converted), label="lower-optimized")
        elif loops and recipe.converter.needs_samples:
            self.converted = self._unroll()
            self._base = replace(self._lower(self.converted), label="lower-unrolled")
        self.candidate = self.float32 if recipe.optimize is None else self._base
        if recipe.converter.quantization != "none" or recipe.converter.rules:
            self.candidate = self._quantize(samples.get("calibration-samples"))
        if recipe.optimize is not None and recipe.optimize.encodes:
            self.candidate = encode_stage(surroundings, self.candidate)

    def _reference(self, evaluated: _Evaluated) -> Node:
        model, (dataset, samples) = self._recipe.model, evaluated
        return self._node(
            REFERENCE.on(self.load.stage.worker),
            {"samples": samples.sha256},
            (self.load,),
            lambda records: ReferenceRequest(model=model, loaded=records["load"], dataset=dataset),
            lambda reference: f"float model on {reference.samples.count} samples",
            reads=self.load.reads,
            dataset=dataset_section(self._recipe, "evaluation"),
            check=_same(samples, dataset),
        )

    def _unroll(self) -> Node:
        model = self._recipe.model
        return self._node(
            UNROLL,
            {},
            (self.load,),
            lambda _: UnrollRequest(model=model),
            lambda loaded: f"{loaded.loader}: {loaded.reason}",
            reads=self.load.reads,
        )

    def _lower(self, model: Node) -> Node:
        lowering = self._recipe.converter.lowering
        return self._node(
            LOWER,
            {"lowering": msgspec.to_builtins(lowering)},
            (model,),
            lambda records: LowerRequest(loaded=converted_model(records[model.label]), lowering=lowering),
            lambda flatbuffer: f"float32, {flatbuffer.size:,} bytes",
            reads=self.load.reads,
        )

    def _calibrate(self, samples: SampleSet, dataset: DatasetSpec) -> Node:
        spec = self._recipe.converter.calibration
        return self._node(
            CALIBRATE.on(self._engine_worker()),
            {"calibration": msgspec.to_builtins(spec), "samples": samples.sha256},
            self._beginnings(),
            lambda records: CalibrateRequest(
                loaded=self._loaded(records), float32=self._base_path(records), calibration=spec, dataset=dataset
            ),
            lambda calibration: f"ranges of {calibration.samples.count} samples",
            reads=self.load.reads,
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
                loaded=self._loaded(records),
                float32=self._base_path(records),
                converter=converter,
                calibration=calibration,
                dataset=dataset if calibration is not None else None,
                trained_ranges=bool(self._recipe.optimize and self._recipe.optimize.trains_ranges),
            )

        return self._node(
            QUANTIZE.on(self._engine_worker())._replace(rank=_rank(converter)),
            {"converter": msgspec.to_builtins(converter)},
            needs,
            request,
            lambda flatbuffer: f"{converter.quantization}, {flatbuffer.size:,} bytes",
            reads=self.load.reads,
            dataset=dataset_section(self._recipe, "calibration"),
        )

    def flatbuffer(self, record: LoadedModel | Flatbuffer) -> Flatbuffer:
        """A converted model, or the source where that is one."""
        if isinstance(record, Flatbuffer):
            return record
        source = next(entry for entry in self.load.reads if entry.role == "model-source")
        return Flatbuffer(path=record.flatbuffer, sha256=source.digest, size=source.bytes)

    def confirm(self, candidate: Flatbuffer) -> Node | None:
        """The candidate's weights against what was promised of them; None where nothing was."""
        optimize = self._recipe.optimize
        confirms = optimize is not None and optimize.confirms
        return confirm_stage(self._surroundings, self.converted, candidate) if confirms else None

    def measure(self, signature: Signature, candidate: Flatbuffer, float32: Flatbuffer) -> Node:
        """The candidate's comparison with the float model; the same for candidates of the same bytes.

        Where the recipe runs nothing, the candidate is only read.

        Args:
            signature: the float model's.
            candidate: the converted model.
            float32: the float32 conversion.
        """
        if self._evaluated is None:
            return examine(candidate, float32, self._surroundings)
        dataset, samples = self._evaluated
        recipe = self._recipe
        evaluation = recipe.evaluation
        reads = tuple(self._metric_inputs(evaluation.metrics))
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
        if packages := self._surroundings.packages_of(extras.of_metrics(evaluation.metrics)):
            inputs["packages"] = packages

        def request(records: Records) -> MeasureRequest:
            return MeasureRequest(
                candidate=candidate.path,
                float32=float32.path,
                signature=signature,
                dataset=dataset,
                reference=records["reference"],
                metrics=evaluation.metrics,
                replicates=replicates,
                seed=recipe.seed,
            )

        return self._node(
            MEASURE,
            inputs,
            self.references,
            request,
            lambda measured: _ran_on(measured.samples),
            reads=(*reads, *self.load.reads),
            dataset=dataset_section(self._recipe, "evaluation"),
            check=_same(samples, dataset),
        )

    def _metric_inputs(self, metrics: Mapping[str, Mapping[str, Any]]) -> Iterator[Input]:
        for name, parameters in metrics.items():
            yield from (self._read["plugin", address] for address in plugin_code("metrics", name))
            yield from (self._read["dataset", path] for path in metric_files(name, parameters).values())

    def benchmark(self, signature: Signature, candidate: Flatbuffer, float32: Flatbuffer, spec: BenchmarkSpec) -> Node:
        """The candidate's latency beside that of the float32 conversion; see `measure`.

        Args:
            signature: the float model's.
            candidate: the converted model.
            float32: the float32 conversion.
            spec: how it is measured.

        Raises:
            InternalError: the recipe runs nothing.
        """
        if self._evaluated is None:
            raise InternalError("latency was asked for where nothing is run")
        dataset, samples = self._evaluated
        inputs = {
            "candidate": candidate.sha256,
            "float32": float32.sha256,
            "samples": samples.sha256,
            "benchmark": msgspec.to_builtins(spec),
        }
        request = BenchmarkRequest(
            candidate=candidate.path, float32=float32.path, signature=signature, dataset=dataset, benchmark=spec
        )
        return self._node(
            BENCHMARK,
            inputs,
            (),
            lambda _: request,
            lambda latencies: f"{latencies.candidate.p50_ms:.3g} ms, float32 {latencies.float32.p50_ms:.3g} ms",
            reads=self.load.reads,
            dataset=dataset_section(self._recipe, "evaluation"),
        )

    def curve(self, samples: SampleSet, dataset: DatasetSpec) -> Node:
        """How the ranges of the float32 conversion settle with the number of calibration samples.

        Args:
            samples: the survey's record of them.
            dataset: the calibration samples.
        """
        return self._node(
            CURVE,
            {"samples": samples.sha256},
            self._beginnings(),
            lambda records: CurveRequest(
                loaded=self._loaded(records), float32=self._base_path(records), dataset=dataset
            ),
            lambda curve: f"ranges of {curve.tensors} tensors on {curve.samples.count} samples",
            reads=self.load.reads,
            dataset=dataset_section(self._recipe, "calibration"),
            check=_same(samples, dataset),
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
        return _once((self.converted, self._base))

    def _loaded(self, records: Records) -> LoadedModel:
        return converted_model(records[self.converted.label])

    def _base_path(self, records: Records) -> str:
        return self.flatbuffer(records[self._base.label]).path

    def _engine_worker(self) -> str:
        return _ENGINE_WORKERS.get(self._recipe.converter.engine, "tensorflow")


def dataset_section(recipe: Recipe, role: str) -> str:
    """The recipe's key of the dataset of a role, `calibration` or `evaluation`."""
    if role == "calibration" or "evaluation" not in recipe.resolved:
        return "representative_dataset"
    return "evaluation.dataset"


def _rank(converter: ConverterSpec) -> int:
    """Which of a sweep's quantizations go first.

    Those whose result takes long to measure, as int16x8 does without fast kernels; last those without ranges, which
    lower the model again.
    """
    if converter.quantization == "int16x8":
        return 1
    return 2 if converter.needs_samples else 3


def _same(samples: SampleSet, dataset: DatasetSpec) -> Callable[[Any], None]:
    def check(record: Any) -> None:
        if record.samples is not None:
            require_same_samples(samples, record.samples, dataset.plugin)

    return check


def _ran_on(samples: SampleSet | None) -> str:
    return "the converted model can't be run" if samples is None else f"converted model on {samples.count} samples"


def _once(nodes: tuple[Node, ...]) -> tuple[Node, ...]:
    """The nodes without repetitions; the candidate may be the float32 conversion, or the source itself."""
    return tuple({node.label: node for node in nodes}.values())
