"""The metrics of two builds: which differ, and whether those of the second still keep what the first one kept.

Times are nobody's promise: latency is left out of everything here.
"""

from __future__ import annotations

from typing import Any

from recipekit import manifest
from recipekit.contracts import Record
from recipekit.explanation import leaves

_LATENCY = "latency"


class MeasuredChange(Record, frozen=True, kw_only=True):
    """A metric that is not what it was: its dotted name, its value in the recorded build and now; None for none."""

    name: str
    recorded: float | int | str | None
    now: float | int | str | None


def metric_changes(recorded: dict[str, Any], rebuilt: dict[str, Any]) -> tuple[MeasuredChange, ...]:
    """The metrics that two manifests don't agree on, sorted by name."""
    before, after = (dict(leaves(_metrics(statement))) for statement in (recorded, rebuilt))
    return tuple(
        MeasuredChange(name=name, recorded=before.get(name), now=after.get(name))
        for name in sorted(before.keys() | after.keys())
        if before.get(name) != after.get(name)
    )


def within_bounds(recorded: dict[str, Any], rebuilt: dict[str, Any]) -> str:
    """Whether every bound that the recorded build kept is kept by the other one.

    Returns:
        `within_bounds`, `out_of_bounds`, or `not_judged` where no bound but on latency was kept.
    """
    kept, now = _kept(recorded), _kept(rebuilt)
    if not kept:
        return "not_judged"
    return "within_bounds" if kept <= now else "out_of_bounds"


def _metrics(statement: dict[str, Any]) -> dict[str, Any]:
    metrics = manifest.results(statement)["metrics"]
    return {name: value for name, value in metrics.items() if name != _LATENCY}


def _kept(statement: dict[str, Any]) -> set[str]:
    checks = manifest.results(statement)["checks"]
    return {check["name"] for check in checks if check["passed"] and not check["name"].startswith(f"{_LATENCY}.")}
