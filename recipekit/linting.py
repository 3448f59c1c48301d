"""The linter by itself: a recipe's samples and its float model, read and compared, and nothing converted.

With a curve the float32 conversion is made as well, and kept for the run that follows.
"""

from __future__ import annotations

import msgspec

from recipekit.build import Job, pin_inputs
from recipekit.contracts import Curve, Record
from recipekit.errors import UsageError
from recipekit.execution import Execution, Watcher
from recipekit.explanation import History
from recipekit.graph import Graph, load_stage
from recipekit.lint import Finding
from recipekit.pipeline import Facilities
from recipekit.sampling import lint_samples, read_samples
from recipekit.workspace import workspace


class LintReport(Record, frozen=True, kw_only=True):
    """What the linter has to say.

    Attributes:
        recipe: the recipe's option name.
        samples: how many there are by role, `calibration` or `evaluation`.
        findings: errors first.
        curve: how ranges settle; None where that was not asked for, or where there are errors.
    """

    recipe: str
    samples: dict[str, int]
    findings: tuple[Finding, ...]
    curve: Curve | None = None

    @property
    def exit_code(self) -> int:
        """5 where a run would end for its samples, else 0."""
        return 5 if any(finding.severity == "error" for finding in self.findings) else 0


def lint_job(job: Job, facilities: Facilities, watcher: Watcher, *, curve: bool) -> LintReport:
    """Lints the samples of a recipe. Stages are found and kept as in a run.

    Args:
        job: the recipe.
        facilities: workers and store.
        watcher: is told what happens.
        curve: whether to measure how ranges settle.

    Raises:
        UsageError: a curve is asked for and nothing is calibrated.
        RecipekitError: whatever keeps samples or model from being read.
    """
    calibration = job.recipe.calibration
    if curve and calibration is None:
        raise UsageError(
            f"quantization {job.recipe.converter.quantization} needs no calibration, so there is no curve",
            where="--curve",
            fix="choose a scheme that calibrates, such as converter=int8",
        )
    pool, lease, surroundings, *_ = facilities
    pinned = pin_inputs(job, surroundings)
    with workspace(job.project.outputs, job.recipe.name) as work:
        execution = Execution(pool, surroundings, lease, work, watcher, History.of(job))
        load = load_stage(job, pinned, surroundings)
        if not execution.is_kept(load):
            pool.warm(load.stage.worker)
        samples = read_samples(job, execution, surroundings)
        (loaded,) = execution.demand(load)
        report = LintReport(
            recipe=job.option,
            samples={role.removesuffix("-samples"): read.count for role, read in samples.items()},
            findings=lint_samples(job.recipe, loaded, samples, warned=False),
        )
        if not curve or calibration is None or report.exit_code:
            return report
        graph = Graph(job, pinned, surroundings, load, samples)
        (measured,) = execution.demand(graph.curve(samples["calibration-samples"], calibration))
        return msgspec.structs.replace(report, curve=measured)
