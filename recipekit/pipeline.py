"""One build from a composed recipe to a published output: the list of steps, read from top to bottom.

What stages there are and what each needs says the graph; whether one runs or is found, the execution. A build that
fails publishes nothing and keeps its work folder, so that the failed stage can be tried again alone; stages that ended
well are kept in the store.
"""

from __future__ import annotations

import time
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from recipekit import manifest
from recipekit.acceptance import Verdict
from recipekit.build import Job, define, pin_inputs
from recipekit.compose.composition import Composition
from recipekit.contracts import Latencies, Measurement, SampleSet
from recipekit.errors import EvaluationError
from recipekit.execution import Execution, Watcher
from recipekit.explanation import History
from recipekit.gate import judge
from recipekit.graph import Graph, dataset_section, load_stage, survey
from recipekit.inputs import Input, check_unchanged
from recipekit.outcome import Outcome
from recipekit.outputs import Outputs
from recipekit.pool import Pool
from recipekit.publication import Build, read_outcome, write_output
from recipekit.recipe import parse
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
    """

    pool: Pool
    lease: Lease
    surroundings: Surroundings


def read_job(composition: Composition) -> Job:
    """Checks a composed recipe.

    Raises:
        InvalidRecipe: with all its faults.
        CompositionError, ForbiddenKey: a value can't be resolved.
    """
    recipe = parse(composition.mapping, composition.project.root, composition.origin)
    return Job(
        composition.project, recipe, composition.recipe, composition.overrides, composition.file, composition.files
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


class _Run:
    """The state of one run: which job, and when it began."""

    def __init__(self, job: Job, facilities: Facilities, watcher: Watcher, settings: Settings) -> None:
        self._job = job
        self._facilities = facilities
        self._watcher = watcher
        self._settings = settings
        self._outputs = Outputs(job.project.outputs)
        self._started = datetime.now(timezone.utc)
        self._clock = time.monotonic()

    def outcome(self) -> Outcome:
        """Finds the output by its build key, or builds, judges and publishes it."""
        recipe, surroundings = self._job.recipe, self._facilities.surroundings
        pinned = pin_inputs(self._job, surroundings)
        with workspace(self._job.project.outputs, recipe.name) as work:
            execution = self._execution(work)
            load = load_stage(self._job, pinned, surroundings)
            if not self._outputs.has(recipe.name, recipe.version) and not execution.is_kept(load):
                self._facilities.pool.warm(load.stage.worker)  # it imports while the datasets are read
            samples = self._survey(execution)
            definition = define(self._job, pinned, samples, surroundings)
            key = manifest.build_key(definition)
            folder = self._outputs.folder(recipe.name, recipe.version, key)
            with self._outputs.hold(key, self._watcher.warning):
                if self._settings.rebuild or self._outputs.find(recipe.name, recipe.version, key) is None:
                    graph = Graph(self._job, pinned, surroundings, load, samples)
                    build = self._build(graph, execution, definition, key, samples)
                    self._publish(build, pinned)
                    execution.remember()
                    return self._built(build, folder)
        return msgspec.structs.replace(
            read_outcome(folder, self._job, self._elapsed(), self._number()), stages=tuple(execution.reports.values())
        )

    def _execution(self, work: Workspace) -> Execution:
        pool, lease, surroundings = self._facilities
        history = History(self._job.project.outputs / ".history" / f"{self._job.recipe.name}.json")
        kept = None if self._settings.rebuild else lease
        return Execution(pool, surroundings, kept, work, self._watcher, history)

    def _survey(self, execution: Execution) -> dict[str, SampleSet]:
        """Reads each dataset once, or finds what a reading gave, since the samples are part of the build key."""
        recipe, surroundings = self._job.recipe, self._facilities.surroundings
        datasets = {"calibration": recipe.calibration, "evaluation": recipe.evaluation.dataset}
        if recipe.calibration == recipe.evaluation.dataset:
            del datasets["evaluation"]
        nodes = {
            role: survey(role, dataset, dataset_section(recipe, role), surroundings)
            for role, dataset in datasets.items()
            if dataset is not None
        }
        # One after the other: at the beginning of a cold run TensorFlow's import needs the other processor.
        read = {role: execution.demand(node)[0] for role, node in nodes.items()}
        samples = {f"{role}-samples": record for role, record in read.items()}
        if recipe.evaluation.dataset is None:
            return samples
        return {"evaluation-samples": read.get("evaluation", read.get("calibration")), **samples}

    def _build(
        self,
        graph: Graph,
        execution: Execution,
        definition: dict[str, Any],
        key: str,
        samples: dict[str, SampleSet],
    ) -> Build:
        conversions = (graph.load, graph.candidate, graph.float32)
        # The reference is needed unless the same bytes were measured before, which only a candidate can tell.
        wanted = conversions if execution.is_kept(graph.candidate) else (*conversions, *graph.references)
        loaded, *models = execution.demand(*wanted)[: len(conversions)]
        candidate, float32 = map(graph.flatbuffer, models)
        measure = graph.measure(loaded.signature, candidate, float32)
        measurement: Measurement
        (measurement,) = execution.demand(measure)
        spec = self._job.recipe.evaluation.benchmark
        if spec is not None and measurement.samples is not None:
            (latencies,) = execution.demand(graph.benchmark(loaded.signature, candidate, float32, spec))
            measurement = _with_latencies(measurement, latencies)
        execution.account(measure)
        execution.account(graph.candidate)
        verdict = judge(self._job.recipe.acceptance, measurement)
        if self._job.recipe.evaluation.runtime != "none":
            _require_run(measurement, verdict)
        return Build(
            job=self._job,
            definition=definition,
            key=key,
            started=self._started,
            loaded=loaded,
            candidate=Path(candidate.path),
            samples=samples,
            measurement=measurement,
            verdict=verdict,
            stages=tuple(execution.reports.values()),
            logs=execution.logs,
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
            stages=build.stages,
        )

    def _elapsed(self) -> float:
        return time.monotonic() - self._clock

    def _number(self) -> int:
        return self._settings.sweep.index if self._settings.sweep else 0


def _require_run(measurement: Measurement, verdict: Verdict) -> None:
    """Refuses to go on without what the recipe wants measured, unless what is known rejects the model already.

    Raises:
        EvaluationError: the model was not run.
    """
    if measurement.samples is None and verdict.status != "rejected":
        raise EvaluationError(
            f"the converted model can't be measured here: {measurement.not_run}",
            where="evaluation.runtime",
            fix="replace the operators (docs/operators.md), or set `evaluation.runtime: none` and leave out bounds on"
            " parity, task and latency: size and file are then judged, and nothing else",
        )


def _with_latencies(measurement: Measurement, latencies: Latencies) -> Measurement:
    return msgspec.structs.replace(measurement, latency=latencies.candidate, float32_latency=latencies.float32)
