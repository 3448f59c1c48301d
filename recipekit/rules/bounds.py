"""Rules of `acceptance`: a bound can be met, and somebody measures what it bounds."""

from __future__ import annotations

from collections.abc import Iterator

from recipekit.acceptance import BOUNDS, NEED_A_RUN
from recipekit.faults import Fault
from recipekit.nearest import did_you_mean
from recipekit.rules.section import Section, runs_nothing


def has_bounds(acceptance: Section) -> bool:
    """Whether an `acceptance` section bounds anything."""
    return any(acceptance[section] for section in BOUNDS)


def bounds(recipe: Section) -> Iterator[Fault]:
    """A bound can be met, and somebody measures what it bounds."""
    acceptance = recipe["acceptance"]
    for section in BOUNDS:
        for metric, bound in acceptance[section].items():
            if isinstance(bound, dict) and bound.get("min", float("-inf")) > bound.get("max", float("inf")):
                where = ("acceptance", section, metric)
                yield Fault(where, f"'{'.'.join(where)}' can't be met: min {bound['min']} is above max {bound['max']}")
    if runs_nothing(recipe):
        yield from _bounds_without_a_run(acceptance)
        return
    measured = recipe.get("evaluation", {}).get("metrics", {})
    for metric in acceptance["task"]:
        if metric not in measured:
            hint = did_you_mean(metric, measured)
            yield Fault(
                ("acceptance", "task", metric),
                f"'acceptance.task.{metric}' bounds what nobody measures{hint}: list it in 'evaluation.metrics'",
            )
    benchmark = recipe.get("evaluation", {}).get("benchmark")
    if acceptance["latency"] and "evaluation" in recipe and benchmark is None:
        yield Fault(
            ("acceptance", "latency"),
            "'acceptance.latency' bounds a latency that nobody measures: set 'evaluation.benchmark'",
        )


def _bounds_without_a_run(acceptance: Section) -> Iterator[Fault]:
    for section in NEED_A_RUN:
        for metric in acceptance[section]:
            yield Fault(
                ("acceptance", section, metric),
                f"'acceptance.{section}.{metric}' bounds what nobody measures, since 'evaluation.runtime' is none:"
                f" take it out (on the command line: '~acceptance.{section}'), or set the runtime to litert",
            )
