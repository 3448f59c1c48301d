"""Functions that build: a run, a sweep, the samples of a recipe alone."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from recipekit.api.linted import LintResult
from recipekit.api.progress import Follow, Follower
from recipekit.api.projects import PathLike, open_project
from recipekit.api.results import RunResult, SweepResult
from recipekit.api.runs import Runs
from recipekit.compose.composition import Composition, compose
from recipekit.errors import UsageError
from recipekit.facilities import facilities_for
from recipekit.linting import lint_job
from recipekit.pipeline import Settings, read_job, run_job
from recipekit.project import Project
from recipekit.resuming import resume_sweep
from recipekit.sweeping import run_sweep


def run(
    recipe: str,
    *,
    overrides: Sequence[str] = (),
    project: PathLike | None = None,
    config_dir: PathLike | None = None,
    rebuild: bool = False,
    progress: Follow = False,
) -> RunResult:
    """Builds a recipe: converts, compares, judges, publishes; or finds the output that is built already.

    Args:
        recipe: its name, the stem of its file in `recipes/`.
        overrides: `key=value` as on the command line.
        project: a folder of the project; the current one if None.
        config_dir: one more folder of recipes and options, looked up last.
        rebuild: build even what is built already.
        progress: True prints a line a stage to standard error; a function gets every `Progress`, from one thread at a
            time.

    Returns:
        The result, whatever the verdict.

    Raises:
        UsageError: the recipe or an override asks for a sweep, or there is no such recipe.
        RecipekitError: whatever keeps the recipe from having an output.
    """
    composition = _single(open_project(project, config_dir), recipe, overrides)
    with facilities_for(composition.project) as facilities:
        outcome = run_job(read_job(composition), facilities, Follower(progress), Settings(rebuild=rebuild))
    return RunResult(outcome)


def sweep(
    recipe: str,
    *,
    overrides: Sequence[str] = (),
    project: PathLike | None = None,
    config_dir: PathLike | None = None,
    rebuild: bool = False,
    progress: Follow = False,
) -> SweepResult:
    """Builds every child of a sweep, several at once; one that fails is a result with a `failure`, and ends no other.

    Args:
        recipe: its name, or several as in `a,b`.
        overrides: as on the command line, those that stand for several values among them: `converter=int8,float16`.
        project: a folder of the project; the current one if None.
        config_dir: one more folder of recipes and options, looked up last.
        rebuild: build even what is built already.
        progress: True prints a line a child to standard error; a function gets every `Progress`.

    Raises:
        UsageError, CompositionError, ForbiddenKey: a child can't be composed; then none has run.
        OutputFault: the summary can't be written.
    """
    found = open_project(project, config_dir)
    watch = partial(_child, progress)
    result = run_sweep(found, [f"recipe={recipe}", *overrides], Settings(rebuild=rebuild), watch)
    return SweepResult(result.folder, Runs(result.outcomes), result.study)


def resume(
    sweep: PathLike,
    *,
    overrides: Sequence[str] = (),
    project: PathLike | None = None,
    progress: Follow = False,
) -> SweepResult:
    """Goes on with a sweep that was interrupted or lost its process: every child that has no output runs.

    Recipes, overrides and settings are those that the sweep began with, whatever has changed since.

    Args:
        sweep: its id, a path of its folder, or `latest`.
        overrides: of the launcher alone: `hydra/launcher=NAME`, `hydra.launcher.KEY=VALUE`.
        project: a folder of the project; the current one if None.
        progress: as for `sweep`.

    Returns:
        All children, those that had ended before among them.

    Raises:
        UsageError: there is no such sweep, it can't be told again, or an override is about something else.
        EnvironmentFault: recipes come to something else here than when the sweep began.
        OutputFault: another process runs the sweep, its copy of the recipes was changed, or the file system refused.
    """
    found = open_project(project, None)
    result = resume_sweep(found, str(sweep), overrides, partial(_child, progress))
    return SweepResult(result.folder, Runs(result.outcomes), result.study)


def lint_samples(
    recipe: str,
    *,
    overrides: Sequence[str] = (),
    project: PathLike | None = None,
    config_dir: PathLike | None = None,
    curve: bool = False,
    progress: Follow = False,
) -> LintResult:
    """Looks for faults in calibration and evaluation samples without converting: `recipekit lint`.

    Args:
        recipe: its name.
        overrides: `key=value` as on the command line.
        project: a folder of the project; the current one if None.
        config_dir: one more folder of recipes and options, looked up last.
        curve: measure how ranges settle with the number of calibration samples.
        progress: as for `run`.

    Raises:
        UsageError: it is a sweep, or a curve is asked for and nothing is calibrated.
        RecipekitError: whatever keeps samples or model from being read.
    """
    composition = _single(open_project(project, config_dir), recipe, overrides)
    with facilities_for(composition.project) as facilities:
        return LintResult(lint_job(read_job(composition), facilities, Follower(progress), curve=curve))


def _single(project: Project, recipe: str, overrides: Sequence[str]) -> Composition:
    composition = compose(project, [f"recipe={recipe}", *overrides])
    if composition.sweeps:
        raise UsageError("the recipe asks for a sweep", where=recipe, fix="call recipekit.sweep")
    return composition


def _child(follow: Follow, number: int) -> Follower:
    return Follower(follow, number)
