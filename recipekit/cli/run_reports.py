"""What `run` reports to CI systems: of one build, of a sweep, of a recipe that never became a build."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from recipekit.ci.annotations import Annotation, at, in_error
from recipekit.ci.suites import Suites, suite_of, suite_of_error, title_of
from recipekit.ci.summary import run_summary, suite_summary, sweep_summary
from recipekit.ci.wording import bound, number
from recipekit.cli.ci_output import CiOutput
from recipekit.compose.composition import Composition, compose
from recipekit.errors import RecipekitError
from recipekit.outcome import Outcome
from recipekit.project import Project

_MOST_ANNOTATIONS = 50
"""Of a sweep: GitHub shows no more of a job, and each of a rejected child needs its recipe composed once more."""


def report_run(ci: CiOutput, outcome: Outcome, composition: Composition) -> None:
    """Reports one build.

    Raises:
        OutputFault: a report can't be written; the output is published.
    """
    project = composition.project
    ci.write(title_of(outcome), [suite_of(outcome)], run_summary(outcome, project.root), _missed(outcome, composition))


def report_sweep(ci: CiOutput, outcomes: Sequence[Outcome], folder: Path, project: Project) -> None:
    """Reports a sweep.

    Raises:
        OutputFault: a report can't be written; the outputs are published.
    """
    summary = sweep_summary(outcomes, folder, project.root)
    annotations = islice((each for outcome in outcomes for each in _of_child(outcome, project)), _MOST_ANNOTATIONS)
    ci.write(f"sweep {folder.name}", Suites(outcomes), summary, annotations)


def report_error(ci: CiOutput, error: RecipekitError, overrides: Sequence[str], root: Path) -> None:
    """Reports what kept a recipe from having an outcome.

    Raises:
        OutputFault: a report can't be written.
    """
    name = " ".join(override.removeprefix("recipe=") for override in overrides) or "run"
    suite = suite_of_error(name, error)
    ci.write(name, [suite], suite_summary(suite), in_error(str(error), error.id, root))


def _of_child(outcome: Outcome, project: Project) -> Iterator[Annotation]:
    if outcome.failure is not None:
        where = f"{outcome.failure.where}: " if outcome.failure.where else ""
        yield from in_error(f"{where}{outcome.failure.what}", f"{outcome.failure.id} {title_of(outcome)}", project.root)
    elif outcome.status != "accepted":
        yield from _missed(outcome, compose(project, [f"recipe={outcome.recipe}", *outcome.overrides]))


def _missed(outcome: Outcome, composition: Composition) -> Iterator[Annotation]:
    """An annotation for each bound that keeps an output from being accepted, where the bound was written."""
    if outcome.status == "accepted":
        return
    for check in outcome.checks:
        if check.verdict != "pass" and check.limit is not None:
            margin = "" if check.margin is None else f", margin {number(check.margin)}"
            value = number(check.value) or "not measured"
            message = f"{title_of(outcome)}: {check.name} is {value}, bound {bound(check)}{margin}"
            message = f"{message} ({check.detail})" if check.detail else message
            yield at(composition.origin(_path(check.name)), check.verdict, message, composition.project.root)


def _path(check: str) -> tuple[str, ...]:
    """The key path of a check's bound; a metric may be an address with dots."""
    section, _, rest = check.partition(".")
    metric, _, kind = rest.rpartition(".")
    return ("acceptance", section, *filter(None, (metric, kind)))
