"""One build from a composed recipe to a published output: the list of steps, read from top to bottom.

The graph says which stages there are and what each needs; the execution decides whether one runs or is found. A build
that fails publishes nothing and keeps its work folder, so that the failed stage can be tried again alone; results of
the stages that succeeded stay in the store.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext, suppress
from datetime import datetime, timezone
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from recipekit import manifest
from recipekit.build import Job, define, pin_inputs
from recipekit.compose.composition import Composition
from recipekit.compose.written import written
from recipekit.contracts import Flatbuffer, LoadedModel, SampleSet
from recipekit.errors import ConversionError, EvaluationError, StageDied
from recipekit.execution import Execution, Watcher
from recipekit.explanation import History
from recipekit.gate import judge
from recipekit.graph import Graph, Node, converted_model, load_stage
from recipekit.inputs import Input, check_unchanged
from recipekit.lint import refuse
from recipekit.measuring import measure, require_run
from recipekit.outcome import Outcome
from recipekit.outputs import Outputs, SharedOutputs
from recipekit.pool import Pool
from recipekit.publication import Build, publish, read_outcome
from recipekit.recipe import parse
from recipekit.sampling import lint_samples, read_samples
from recipekit.store import Lease
from recipekit.surroundings import Surroundings
from recipekit.workspace import Workspace, workspace


class Settings(NamedTuple):
    """How a run is carried out; nothing here decides what it gives.

    Attributes:
        rebuild: build even what is built already, every stage anew.
        sweep: the sweep that the run is a child of.
    """

    rebuild: bool = False
    sweep: manifest.Sweep | None = None

    def for_child(self, sweep: str, number: int) -> Settings:
        """The same settings for a child of a sweep."""
        return self._replace(sweep=manifest.Sweep(sweep, number))


class Facilities(NamedTuple):
    """What the builds of one command share.

    Attributes:
        pool: the workers.
        lease: on the stage store.
        surroundings: facts about machine, installation and repository.
        waits: entered while a build does nothing but wait for a worker or for another build.
        publish: writes an output and makes it visible, as `publication.publish` does.
    """

    pool: Pool
    lease: Lease
    surroundings: Surroundings
    waits: Callable[[], AbstractContextManager[object]] = nullcontext
    publish: Callable[..., None] = publish


def read_job(composition: Composition) -> Job:
    """Checks a composed recipe.

    Raises:
        InvalidRecipe: with all its faults.
        CompositionError, ForbiddenKey: a value can't be resolved.
    """
    recipe = parse(composition.mapping, composition.project.root, composition.origin)
    return Job(
        composition.project,
        recipe,
        composition.recipe,
        composition.overrides,
        composition.file,
        composition.files,
        partial(written, recipe.resolved, composition.mapping, composition.origin),  # travels to other processes
    )


def run_job(job: Job, facilities: Facilities, watcher: Watcher, settings: Settings) -> Outcome:
    """Builds a recipe, or finds its output. Several threads may run jobs at once.

    Args:
        job: the recipe.
        facilities: shared by all builds of a command.
        watcher: is told what happens.
        settings: how to carry it out.

    Raises:
        RecipekitError: whatever keeps the recipe from having an output.
    """
    for warning in job.recipe.warnings:
        watcher.warning(warning)
    return _Run(job, facilities, watcher, settings).outcome()


def prepare(job: Job, facilities: Facilities) -> None:
    """Starts the worker that a job's build will need first, so that it imports while the caller does something else.

    Raises:
        SourceError, PluginError: an input can't be pinned.
    """
    pinned = pin_inputs(job, facilities.surroundings)
    _warm(job, load_stage(job, pinned, facilities.surroundings), facilities)


def _warm(job: Job, load: Node, facilities: Facilities) -> None:
    """Starts the worker of `load`, unless it looks as if the output, or that stage's result, were there."""
    published = Outputs(job.project.outputs).has(job.recipe.name, job.recipe.version)
    if not published and not job.project.shared_outputs and facilities.lease.find(load.key) is None:
        facilities.pool.warm(load.stage.worker)


class _Run:
    """The state of one run: which job, and when it began."""

    def __init__(self, job: Job, facilities: Facilities, watcher: Watcher, settings: Settings) -> None:
        self._job = job
        self._facilities = facilities
        self._watcher = watcher
        self._settings = settings
        self._outputs = SharedOutputs.of(job.project)
        self._started = datetime.now(timezone.utc)
        self._clock = time.monotonic()

    def outcome(self) -> Outcome:
        """Finds the output by its build key, or builds, judges and publishes it."""
        recipe, surroundings = self._job.recipe, self._facilities.surroundings
        pinned = pin_inputs(self._job, surroundings)
        load = load_stage(self._job, pinned, surroundings)
        _warm(self._job, load, self._facilities)  # it imports while the datasets are read
        with workspace(self._job.project.outputs, recipe.name) as work:
            execution = self._execution(work)
            samples = read_samples(self._job, execution, surroundings)
            definition = define(self._job, pinned, samples, surroundings)
            key = manifest.build_key(definition)
            folder = self._outputs.folder(recipe.name, recipe.version, key)
            with self._outputs.hold(key, self._watcher.warning):
                built: Outcome | None = None
                if self._settings.rebuild or self._outputs.find(recipe.name, recipe.version, key) is None:
                    (loaded,) = execution.demand(load)
                    graph = Graph(self._job, pinned, surroundings, load, samples, loaded.loops)
                    build = self._build(graph, execution, definition, key, samples)
                    self._publish(build, pinned)
                    execution.remember()
                    built = self._built(build, folder)
                with self._facilities.waits():
                    counts = self._outputs.share(folder, key, self._watcher.warning, replace=self._settings.rebuild)
            if built is not None and counts:
                return built
        found = read_outcome(folder, self._job, self._elapsed(), self._number())
        for warning in found.warnings[len(recipe.warnings) :]:
            self._watcher.warning(warning)
        return msgspec.structs.replace(found, stages=tuple(execution.reports.values()))

    def _execution(self, work: Workspace) -> Execution:
        pool, lease, surroundings, waits, _ = self._facilities
        kept = None if self._settings.rebuild else lease
        return Execution(pool, surroundings, kept, work, self._watcher, History.of(self._job), waits)

    def _build(
        self,
        graph: Graph,
        execution: Execution,
        definition: dict[str, Any],
        key: str,
        samples: dict[str, SampleSet],
    ) -> Build:
        (source,) = execution.demand(graph.load)
        warnings = self._lint(source, samples)
        graph.artifacts.read_labels(source.signatures)
        agreement = graph.agreement(source, samples)
        agreed = execution.demand(agreement)[0].sqnr_db if agreement is not None else source.replacement_sqnr_db
        converted, candidate, float32 = self._convert(graph, execution, samples)
        loaded = msgspec.structs.replace(converted, replacement_sqnr_db=agreed)
        confirm = graph.confirm(candidate)
        confirmed = execution.demand(confirm)[0].layers if confirm is not None else ()
        measured = measure(graph, execution, self._watcher, self._job.recipe, loaded, (candidate, float32))
        measurement = msgspec.structs.replace(measured.measurement, optimized_layers=confirmed)
        execution.account(graph.candidate)
        verdict = judge(self._job.recipe.acceptance, measurement)
        if self._job.recipe.evaluation.runtime != "none":
            require_run(measurement, verdict)
        return Build(
            job=self._job,
            definition=definition,
            key=key,
            started=self._started,
            loaded=loaded,
            candidate=candidate,
            layers=float32.layers,
            samples=samples,
            measurement=measurement,
            verdict=verdict,
            stages=tuple(execution.reports.values()),
            logs=execution.logs,
            sweep=self._settings.sweep,
            warnings=(*self._job.recipe.warnings, *warnings, *measured.artifacts.doubts(measurement.census.operators)),
            artifacts=measured.artifacts,
            diff=self._diff(),
            figures=measured.figures,
            missing_figures=measured.missing,
        )

    def _convert(
        self, graph: Graph, execution: Execution, samples: dict[str, SampleSet]
    ) -> tuple[LoadedModel, Flatbuffer, Flatbuffer]:
        """The model as it was converted, the candidate, and the float32 conversion beside it."""
        conversions = (graph.converted, graph.candidate, graph.float32)
        # The reference is needed unless the same bytes were measured before, which only a candidate can tell.
        wanted = list(conversions)
        if graph.evaluation is not None and not execution.is_kept(graph.candidate):
            wanted.append(graph.evaluation.reference)
        try:
            converted, *models = execution.demand(*wanted)[: len(conversions)]
        except (ConversionError, StageDied):
            self._blame_sample(graph, execution, samples)
            raise
        candidate, float32 = map(graph.flatbuffer, models)
        return converted_model(converted), candidate, float32

    def _diff(self) -> bytes:
        """The project's uncommitted changes, as far as they may be published; a sweep says once that they may not."""
        repository = self._facilities.surroundings.repository
        if repository is not None and repository.withheld and self._number() == 0:
            self._watcher.warning(repository.withheld_because)
        return b"" if repository is None or repository.withheld else repository.diff

    def _lint(self, loaded: LoadedModel, samples: dict[str, SampleSet]) -> tuple[str, ...]:
        """Warns of code that the source runs and of samples that look wrong; ends the run for samples that are."""
        findings = lint_samples(self._job.recipe, loaded, samples, warned=True)
        warnings = (*loaded.cautions, *(finding.text for finding in findings if finding.severity == "warning"))
        for warning in warnings:
            self._watcher.warning(warning)
        refuse(findings)
        return warnings

    def _blame_sample(self, graph: Graph, execution: Execution, samples: dict[str, SampleSet]) -> None:
        """Looks for a calibration sample that overflows inside of the model, which calibrators don't survive.

        Raises:
            DatasetError: there is one.
        """
        dataset = self._job.recipe.calibration
        if dataset is not None:
            with suppress(ConversionError, EvaluationError, StageDied):  # what has failed already says why
                execution.demand(graph.curve(samples["calibration-samples"], dataset))

    def _publish(self, build: Build, pinned: tuple[Input, ...]) -> None:
        for entry in pinned:
            check_unchanged(entry)
        for doubt in build.artifacts.doubts(build.measurement.census.operators):
            self._watcher.warning(doubt)
        with self._facilities.waits():
            self._facilities.publish(build, replace=self._settings.rebuild)

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
            warnings=build.warnings,
            stages=build.stages,
        )

    def _elapsed(self) -> float:
        return time.monotonic() - self._clock

    def _number(self) -> int:
        return self._settings.sweep.index if self._settings.sweep else 0
