"""What became of a command as test suites: one of each run, with a case of its conversion and of each check."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Literal, NamedTuple

from recipekit.acceptance import Check
from recipekit.ci.wording import bound, number
from recipekit.errors import RecipekitError
from recipekit.outcome import Failure, Outcome


class Case(NamedTuple):
    """One test case.

    Attributes:
        name: of the case.
        verdict: `skipped` is what nobody could judge and nobody asked for.
        message: why it didn't pass, on one line.
        detail: the same at length, or what is to be said of one that passed.
        kind: of the failure or error, in one word.
        seconds: that it took.
    """

    name: str
    verdict: Literal["passed", "failed", "error", "skipped"] = "passed"
    message: str = ""
    detail: str = ""
    kind: str = ""
    seconds: float = 0.0


class Suite(NamedTuple):
    """Cases that belong together, and what else is known of them all."""

    name: str
    cases: tuple[Case, ...]
    seconds: float = 0.0
    properties: Mapping[str, str] = {}

    def count(self, verdict: str) -> int:
        """How many cases have a verdict."""
        return sum(case.verdict == verdict for case in self.cases)


def suite_of(outcome: Outcome) -> Suite:
    """A run: whether it converted, then each check."""
    known = {
        "verdict": outcome.status,
        "build_key": outcome.build_key,
        "size_bytes": str(outcome.measurement.size) if outcome.measurement else "",
    }
    return Suite(
        name=title_of(outcome),
        cases=(_conversion(outcome), *(_case(check, outcome.status) for check in outcome.checks)),
        seconds=outcome.seconds,
        properties={name: value for name, value in known.items() if value},
    )


class Suites(Collection[Suite]):
    """The suites of a sweep's runs, each made when its turn comes."""

    def __init__(self, outcomes: Collection[Outcome]) -> None:
        """Makes none yet; the outcomes are gone through whenever the suites are."""
        self._outcomes = outcomes

    def __len__(self) -> int:
        return len(self._outcomes)

    def __iter__(self) -> Iterator[Suite]:
        return map(suite_of, self._outcomes)

    def __contains__(self, suite: object) -> bool:
        return any(suite == each for each in self)


def suite_of_error(name: str, error: RecipekitError) -> Suite:
    """A run that didn't get as far as an outcome."""
    return Suite(name=name, cases=(failure_case("conversion", Failure.of(error)),))


def title_of(outcome: Outcome) -> str:
    """A run by its recipe and overrides."""
    return " ".join((outcome.recipe or "launcher", *outcome.overrides))


def failure_case(name: str, failure: Failure, seconds: float = 0.0) -> Case:
    """An expected error as a case."""
    said = "\n".join(filter(None, (failure.where, failure.what, failure.fix and f"fix: {failure.fix}")))
    message = ": ".join(filter(None, (failure.where, failure.what))).partition("\n")[0]
    return Case(name, "error", message, said, failure.id, seconds)


def _conversion(outcome: Outcome) -> Case:
    if outcome.failure is not None:
        return failure_case("conversion", outcome.failure, outcome.seconds)
    how = "already built" if outcome.already_built else "built"
    return Case("conversion", detail=f"{how}: {outcome.build_key}", seconds=outcome.seconds)


def _case(check: Check, status: str) -> Case:
    message = f"value {number(check.value) or 'not measured'}, bound {bound(check) or 'none'}"
    if check.margin is not None:
        message += f", margin {number(check.margin)}"
    interval = "" if check.interval is None else f"interval {number(check.interval[0])} to {number(check.interval[1])}"
    detail = "\n".join(filter(None, (message, interval, check.detail)))
    if check.verdict == "pass" or (check.verdict == "inconclusive" and status == "accepted"):
        return Case(check.name, detail=detail)
    if check.verdict == "not-judged":
        asked = check.limit is not None
        return Case(check.name, "error" if asked else "skipped", check.detail or message, detail, check.verdict)
    kind = "rejected" if check.verdict == "fail" else check.verdict
    return Case(check.name, "failed", message, detail, kind)
