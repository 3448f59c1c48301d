"""One build from a composed recipe to a published output: the list of steps, read from top to bottom.

Each stage is asked of a warm worker; everything else is done by the module that is named for it. A build that fails
publishes nothing and keeps its work folder, so that the failed stage can be tried again alone.
"""

from __future__ import annotations

import time
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from recipekit import manifest
from recipekit.build import Job, define, pin_inputs
from recipekit.compose.composition import Composition
from recipekit.contracts import (
    LOAD,
    LOWER,
    MEASURE,
    QUANTIZE,
    REFERENCE,
    SURVEY,
    DatasetSpec,
    Flatbuffer,
    LoadedModel,
    LoadRequest,
    LowerRequest,
    Measurement,
    MeasureRequest,
    QuantizeRequest,
    Record,
    Reference,
    ReferenceRequest,
    SampleSet,
    Stage,
    SurveyRequest,
)
from recipekit.errors import DatasetError, PluginError
from recipekit.gate import judge
from recipekit.inputs import Input, check_unchanged
from recipekit.outcome import Outcome
from recipekit.outputs import Outputs
from recipekit.pool import Pool
from recipekit.publication import Build, read_outcome, write_output
from recipekit.recipe import parse
from recipekit.samples import require_same_samples
from recipekit.workspace import workspace

_REPLICATES = 400
"""Bootstrap replicates behind an interval: enough for its ends to move by less than a tenth of its width."""


class Settings(NamedTuple):
    """How a run is carried out; nothing here decides what it gives.

    Attributes:
        rebuild: build even what is built already.
        sweep: the sweep that the run is a child of.
    """

    rebuild: bool = False
    sweep: manifest.Sweep | None = None

    def for_child(self, sweep: str, number: int) -> Settings:
        """The same settings for a child of a sweep."""
        return self._replace(sweep=manifest.Sweep(sweep, number))


class Watcher(Protocol):
    """Is told what a run does."""

    def started(self, step: str) -> None:
        """A step begins."""

    def finished(self, step: str, seconds: float, note: str) -> None:
        """A step has ended well."""

    def warning(self, text: str) -> None:
        """Something is allowed, but probably not meant; or the run has to wait."""


def run_composition(composition: Composition, pool: Pool, watcher: Watcher, settings: Settings) -> Outcome:
    """Builds a composed recipe, or finds its output.

    Args:
        composition: the recipe.
        pool: the workers.
        watcher: is told what happens.
        settings: how to carry it out.

    Raises:
        RecipekitError: whatever keeps the recipe from having an output.
    """
    recipe = parse(composition.mapping, composition.project.root, composition.origin)
    for warning in recipe.warnings:
        watcher.warning(warning)
    job = Job(
        composition.project, recipe, composition.recipe, composition.overrides, composition.file, composition.files
    )
    return _Run(job, pool, watcher, settings).outcome()


class _Run:
    """The state of one run: which job, when it began, and what its stages took."""

    def __init__(self, job: Job, pool: Pool, watcher: Watcher, settings: Settings) -> None:
        self._job = job
        self._pool = pool
        self._watcher = watcher
        self._settings = settings
        self._outputs = Outputs(job.project.outputs)
        self._started = datetime.now(timezone.utc)
        self._clock = time.monotonic()
        self._seconds: dict[str, float] = {}
        self._logs: dict[str, Path] = {}

    def outcome(self) -> Outcome:
        """Finds the output by its build key, or builds, judges and publishes it."""
        recipe = self._job.recipe
        pinned = pin_inputs(self._job)
        if self._settings.rebuild or not self._outputs.has(recipe.name, recipe.version):
            self._pool.warm("tensorflow")  # a build is certain: TensorFlow is imported while the datasets are read
        with workspace(self._job.project.outputs, recipe.name) as work:
            samples = self._survey(work)
            definition = define(self._job, pinned, samples)
            key = manifest.build_key(definition)
            folder = self._outputs.folder(recipe.name, recipe.version, key)
            with self._outputs.hold(key, self._watcher.warning):
                if self._settings.rebuild or self._outputs.find(recipe.name, recipe.version, key) is None:
                    build = self._build(work, definition, key, samples)
                    self._publish(build, pinned)
                    return self._built(build, folder)
        return read_outcome(folder, self._job, self._elapsed(), self._number())

    def _survey(self, work: Path) -> dict[str, SampleSet]:
        """Reads each dataset once, since its samples are part of the build key."""
        calibration, evaluation = self._job.recipe.calibration, self._job.recipe.evaluation.dataset
        samples: dict[str, SampleSet] = {}
        if calibration is not None:
            samples["calibration-samples"] = self._read("calibration", calibration, work)
        if evaluation == calibration:
            samples["evaluation-samples"] = samples["calibration-samples"]
        else:
            samples["evaluation-samples"] = self._read("evaluation", evaluation, work)
        return samples

    def _read(self, label: str, dataset: DatasetSpec, work: Path) -> SampleSet:
        read: SampleSet = self._stage(SURVEY, SurveyRequest(dataset=dataset), work, label)
        self._done(SURVEY, f"{read.count} {label} samples of {dataset.plugin}", label)
        return read

    def _build(self, work: Path, definition: dict[str, Any], key: str, samples: dict[str, SampleSet]) -> Build:
        recipe = self._job.recipe
        evaluation, converter = recipe.evaluation, recipe.converter

        loaded: LoadedModel = self._stage(LOAD, LoadRequest(model=recipe.model), work)
        self._done(LOAD, f"{loaded.loader}: {loaded.reason}")

        request = ReferenceRequest(model=recipe.model, loaded=loaded, dataset=evaluation.dataset)
        reference: Reference = self._stage(REFERENCE, request, work)
        require_same_samples(samples["evaluation-samples"], reference.samples, evaluation.dataset.plugin)
        self._done(REFERENCE, f"float model on {reference.samples.count} samples")

        float32: Flatbuffer = self._stage(LOWER, LowerRequest(loaded=loaded, converter=converter), work)
        self._done(LOWER, f"float32, {float32.size:,} bytes")

        candidate = float32
        if converter.quantization != "none":
            calibration = recipe.calibration
            quantize = QuantizeRequest(loaded=loaded, converter=converter, dataset=calibration)
            candidate = self._stage(QUANTIZE, quantize, work)
            if candidate.samples is not None and calibration is not None:
                require_same_samples(samples["calibration-samples"], candidate.samples, calibration.plugin)
            self._done(QUANTIZE, f"{converter.quantization}, {candidate.size:,} bytes")

        measure = MeasureRequest(
            candidate=candidate.path,
            float32=float32.path,
            signature=loaded.signature,
            dataset=evaluation.dataset,
            reference=reference,
            metrics=evaluation.metrics,
            benchmark=evaluation.benchmark,
            replicates=0 if recipe.acceptance.confidence is None else _REPLICATES,
            seed=recipe.seed,
        )
        measurement: Measurement = self._stage(MEASURE, measure, work)
        require_same_samples(samples["evaluation-samples"], measurement.samples, evaluation.dataset.plugin)
        self._done(MEASURE, f"converted model on {measurement.samples.count} samples")

        return Build(
            job=self._job,
            definition=definition,
            key=key,
            started=self._started,
            loaded=loaded,
            candidate=Path(candidate.path),
            samples=samples,
            measurement=measurement,
            verdict=judge(recipe.acceptance, measurement),
            seconds=self._seconds,
            logs=self._logs,
            sweep=self._settings.sweep,
        )

    def _publish(self, build: Build, pinned: tuple[Input, ...]) -> None:
        for entry in pinned:
            check_unchanged(entry)
        recipe = self._job.recipe
        with self._outputs.stage(needed=2 * build.measurement.size) as staged:
            write_output(staged, build)
            self._outputs.publish(staged, recipe.name, recipe.version, build.key, replace=self._settings.rebuild)

    def _built(self, build: Build, folder: Path) -> Outcome:
        return Outcome(
            recipe=self._job.option,
            overrides=self._job.overrides,
            number=self._number(),
            status=build.verdict.status,
            seconds=self._elapsed(),
            name=self._job.recipe.name,
            version=self._job.recipe.version,
            build_key=build.key,
            output=str(folder),
            checks=build.verdict.checks,
            measurement=build.measurement,
            warnings=self._job.recipe.warnings,
        )

    def _stage(self, stage: Stage, request: Record, work: Path, label: str = "") -> Any:
        """Runs one stage in a numbered folder of its own."""
        name = "-".join(filter(None, (stage.name, label)))
        folder = work / f"{len(self._seconds):02d}-{name}"
        self._watcher.started(name)
        try:
            result = self._pool.run(stage, request, folder)
        except (DatasetError, PluginError) as error:
            section = self._section(stage, label)
            error.where = ": ".join(filter(None, (section, error.where)))
            raise
        self._seconds[name] = result.seconds
        if (folder / "log.txt").is_file():
            self._logs[name] = folder / "log.txt"
        return result.record

    def _section(self, stage: Stage, label: str) -> str:
        """The recipe's key of the dataset that a stage reads; empty where it reads none."""
        if stage is QUANTIZE or label == "calibration":
            return "representative_dataset"
        if stage in {REFERENCE, MEASURE} or label == "evaluation":
            return "evaluation.dataset" if "evaluation" in self._job.recipe.resolved else "representative_dataset"
        return ""

    def _done(self, stage: Stage, note: str, label: str = "") -> None:
        name = "-".join(filter(None, (stage.name, label)))
        self._watcher.finished(stage.name, self._seconds[name], note)

    def _elapsed(self) -> float:
        return time.monotonic() - self._clock

    def _number(self) -> int:
        return self._settings.sweep.index if self._settings.sweep else 0
