"""What was measured and judged of two outputs and is different, each number with its interval where it has one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from recipekit.acceptance import METRICS
from recipekit.audit.changes import Change, largest_first, weight_of
from recipekit.contracts import Measurement
from recipekit.estimates import Estimate, converted_score, parity_metric, score_drop

GROUPS = ("verdict", "checks", "task", "parity", "size", "latency")
"""Groups of results: the answer, why it is so, and the numbers behind it."""


def compare_results(a: Mapping[str, Any], b: Mapping[str, Any]) -> tuple[Change, ...]:
    """Every difference of two `results.json`."""
    first, second = (metrics_of(msgspec.convert(side["measurement"], Measurement)) for side in (a, b))
    changes = [*_changed("verdict", {"verdict": a["verdict"]}, {"verdict": b["verdict"]})]
    changes += _changed("checks", _checks(a), _checks(b))
    for group in GROUPS[2:]:
        changes += _changed(group, first[group], second[group])
    return largest_first(changes, GROUPS)


def metrics_of(measured: Measurement) -> dict[str, dict[str, dict[str, Any]]]:
    """Every number of a measurement by group and name, as `value` and `interval`, which is None where there is none."""
    parity = {}
    for output, values in measured.parity.items():
        for name in METRICS["parity"]:
            estimate = parity_metric(values, name)
            if estimate is not None:
                parity[f"{output} {name}"] = estimate
    task = {}
    for name, score in measured.task.items():
        task[name] = converted_score(score)
        task[f"{name} drop"] = score_drop(score)
    latency = msgspec.to_builtins(measured.latency) if measured.latency is not None else {}
    sizes = {"bytes": measured.size, "ratio": measured.size_ratio}
    found: dict[str, Mapping[str, Estimate]] = {
        "task": task,
        "parity": parity,
        "size": {name: Estimate(value) for name, value in sizes.items()},
        "latency": {name: Estimate(value) for name, value in latency.items()},
    }
    return {group: {name: _number(it) for name, it in estimates.items()} for group, estimates in found.items()}


def _number(estimate: Estimate) -> dict[str, Any]:
    return {"value": estimate.value, "interval": list(estimate.interval) if estimate.interval else None}


def _checks(results: Mapping[str, Any]) -> dict[str, Any]:
    return {
        check["name"]: {key: check.get(key) for key in ("verdict", "limit", "value", "interval")}
        for check in results["checks"]
    }


def _changed(group: str, a: Mapping[str, Any], b: Mapping[str, Any]) -> Iterator[Change]:
    for name in a.keys() | b.keys():
        old, new = a.get(name), b.get(name)
        if old != new:
            yield Change(group=group, name=name, a=old, b=new, weight=_weight(old, new))


def _weight(a: Any, b: Any) -> float:
    """Another verdict outweighs another number."""
    if not isinstance(a, Mapping) or not isinstance(b, Mapping):
        return 2.0
    if a.get("verdict") != b.get("verdict"):
        return 2.0
    return weight_of(a.get("value"), b.get("value"))
