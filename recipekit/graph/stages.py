"""The stages of a build that follow from its samples, from the float model to the measured candidate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import msgspec

from recipekit.build import Job, plugin_code
from recipekit.contracts import (
    CALIBRATE,
    CURVE,
    LOWER,
    MARK,
    QUANTIZE,
    UNROLL,
    CalibrateRequest,
    Calibration,
    ConverterSpec,
    CurveRequest,
    DatasetSpec,
    Flatbuffer,
    LoadedModel,
    LowerRequest,
    MarkRequest,
    QuantizeRequest,
    SampleSet,
    Signature,
    UnrollRequest,
)
from recipekit.graph.artifacts import ArtifactStages
from recipekit.graph.datasets import dataset_section, same_samples
from recipekit.graph.drawing import Drawing
from recipekit.graph.evaluation import Evaluated, Evaluation
from recipekit.graph.examination import examine
from recipekit.graph.loading import agree_stage
from recipekit.graph.node import Node, Records
from recipekit.graph.optimization import confirm_stage, converted_model, encode_stage, optimize_stage
from recipekit.inputs import Input
from recipekit.surroundings import Surroundings

_ENGINE_WORKERS = {"ai_edge_quantizer": "litert"}
"""Engines that do without TensorFlow."""


class Graph:
    """The stages of one job.

    Attributes:
        load: the float model.
        evaluation: the stages that run it and the candidate; None where nothing is run.
        float32: its float32 conversion; `load` where the source is one.
        converted: the float model that the candidate is made of: `load`, or what it becomes for calibration.
        candidate: the conversion that the recipe asks for.
        artifacts: the stages that make extra files of the candidate.
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
        self._surroundings = surroundings
        code = set(plugin_code("engines", recipe.converter.engine))
        self._engine = tuple(entry for entry in pinned if entry.name in code)
        self.load = load
        self.artifacts = ArtifactStages(job, pinned, surroundings, load, samples)
        self.evaluation = None
        if recipe.evaluation.dataset is not None:
            evaluated = Evaluated(recipe.evaluation.dataset, samples["evaluation-samples"])
            self.evaluation = Evaluation(job, pinned, surroundings, load, evaluated)
        self.float32 = load if recipe.model.source.kind == "tflite" else self._lower(load)
        self.converted, self._base = load, self.float32
        unroll = bool(loops) and recipe.converter.needs_samples
        if recipe.optimize is not None:
            self.converted = optimize_stage(job, recipe.optimize, surroundings, load, samples, unroll=unroll)
            if not recipe.optimize.trains_ranges:
                self._base = replace(self._lower(self.converted), alias="lower-optimized")
        elif unroll:
            self.converted = self._unroll()
            self._base = replace(self._lower(self.converted), alias="lower-unrolled")
        self.candidate = self.float32 if recipe.optimize is None else self._base
        if recipe.converter.quantization != "none" or recipe.converter.rules:
            self.candidate = self._quantize(samples.get("calibration-samples"))
        if recipe.optimize is not None and recipe.optimize.encodes:
            self.candidate = encode_stage(surroundings, self.candidate)
        elif self.candidate is self._base:
            self.candidate = self._mark(self.candidate)

    def _unroll(self) -> Node:
        model = self._recipe.model
        return Node(
            stage=UNROLL,
            surroundings=self._surroundings,
            inputs={},
            needs=(self.load,),
            request=lambda _: UnrollRequest(model=model),
            note=lambda loaded: f"{loaded.loader}: {loaded.reason}",
            reads=self.load.reads,
        )

    def _lower(self, model: Node) -> Node:
        lowering = self._recipe.converter.lowering
        return Node(
            stage=LOWER,
            surroundings=self._surroundings,
            inputs={"lowering": msgspec.to_builtins(lowering)},
            needs=(model,),
            request=lambda records: LowerRequest(loaded=converted_model(records[model.label]), lowering=lowering),
            note=lambda flatbuffer: f"float32, {flatbuffer.size:,} bytes",
            reads=self.load.reads,
        )

    def _calibrate(self, samples: SampleSet, dataset: DatasetSpec) -> Node:
        spec = self._recipe.converter.calibration
        return Node(
            stage=CALIBRATE.on(self._engine_worker()),
            surroundings=self._surroundings,
            inputs={"calibration": msgspec.to_builtins(spec), "samples": samples.sha256, **self._engine_code()},
            needs=self._beginnings(),
            request=lambda records: CalibrateRequest(
                loaded=self._loaded(records), float32=self._base_path(records), calibration=spec, dataset=dataset
            ),
            note=lambda calibration: f"ranges of {calibration.samples.count} samples",
            reads=(*self.load.reads, *self._engine),
            dataset=dataset_section(self._recipe, "calibration"),
            check=same_samples(samples, dataset),
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

        return Node(
            stage=QUANTIZE.on(self._engine_worker())._replace(rank=_rank(converter)),
            surroundings=self._surroundings,
            inputs={"converter": msgspec.to_builtins(converter), **self._engine_code()},
            needs=needs,
            request=request,
            note=lambda flatbuffer: f"{converter.quantization}, {flatbuffer.size:,} bytes",
            reads=(*self.load.reads, *self._engine),
            dataset=dataset_section(self._recipe, "calibration"),
        )

    def _mark(self, candidate: Node) -> Node:
        return Node(
            stage=MARK,
            surroundings=self._surroundings,
            inputs={},
            needs=(candidate,),
            request=lambda records: MarkRequest(flatbuffer=self.flatbuffer(records[candidate.label]).path),
            note=lambda flatbuffer: f"{flatbuffer.size:,} bytes",
            reads=candidate.reads,
        )

    def agreement(self, loaded: LoadedModel, samples: Mapping[str, SampleSet]) -> Node | None:
        """The comparison of replacements with what they stand for, where the stage `load` had no inputs for one.

        Args:
            loaded: the record of `load`.
            samples: the surveys' records; calibration samples are taken, else those of the evaluation.
        """
        if not loaded.replaced or loaded.replacement_sqnr_db is not None:
            return None
        datasets = {"calibration": self._recipe.calibration, "evaluation": self._recipe.evaluation.dataset}
        for role, dataset in datasets.items():
            if dataset is not None and f"{role}-samples" in samples:
                return agree_stage(self._recipe, self._surroundings, self.load, samples[f"{role}-samples"], role)
        return None

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

    def measure(self, signatures: dict[str, Signature], candidate: Flatbuffer, float32: Flatbuffer) -> Node:
        """The candidate's comparison with the float model; where the recipe runs nothing, the candidate is only read.

        Args:
            signatures: the float model's, by key.
            candidate: the converted model.
            float32: the float32 conversion.
        """
        if self.evaluation is None:
            return examine(candidate, float32, self._surroundings)
        return self.evaluation.measure(signatures, candidate, float32)

    def drawing(self, signatures: dict[str, Signature], candidate: Flatbuffer, float32: Flatbuffer) -> Drawing:
        """The stages behind the figures of the report; see `measure`."""
        return Drawing(self._recipe, self._surroundings, self.converted, candidate, float32, signatures)

    def curve(self, samples: SampleSet, dataset: DatasetSpec) -> Node:
        """How the ranges of the float32 conversion settle with the number of calibration samples.

        Args:
            samples: the survey's record of them.
            dataset: the calibration samples.
        """
        return Node(
            stage=CURVE,
            surroundings=self._surroundings,
            inputs={"samples": samples.sha256},
            needs=self._beginnings(),
            request=lambda records: CurveRequest(
                loaded=self._loaded(records), float32=self._base_path(records), dataset=dataset
            ),
            note=lambda curve: f"ranges of {curve.tensors} tensors on {curve.samples.count} samples",
            reads=self.load.reads,
            dataset=dataset_section(self._recipe, "calibration"),
            check=same_samples(samples, dataset),
        )

    def _beginnings(self) -> tuple[Node, ...]:
        """What every conversion begins with: the float model and its float32 conversion."""
        return _once((self.converted, self._base))

    def _loaded(self, records: Records) -> LoadedModel:
        return converted_model(records[self.converted.label])

    def _base_path(self, records: Records) -> str:
        return self.flatbuffer(records[self._base.label]).path

    def _engine_code(self) -> dict[str, dict[str, str]]:
        """Digests of an installed engine's code; nothing for one of recipekit's, which the tools cover."""
        return {"engine": {entry.name: entry.digest for entry in self._engine}} if self._engine else {}

    def _engine_worker(self) -> str:
        return _ENGINE_WORKERS.get(self._recipe.converter.engine, "tensorflow")


def _rank(converter: ConverterSpec) -> int:
    """Which of a sweep's quantizations go first.

    Those whose result takes long to measure, as int16x8 does without fast kernels; last those without ranges, which
    lower the model again.
    """
    if converter.quantization == "int16x8":
        return 1
    return 2 if converter.needs_samples else 3


def _once(nodes: tuple[Node, ...]) -> tuple[Node, ...]:
    """The nodes without repetitions; the candidate may be the float32 conversion, or the source itself."""
    return tuple({node.label: node for node in nodes}.values())
