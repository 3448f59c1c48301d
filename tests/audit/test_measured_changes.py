from __future__ import annotations

from typing import Any

import pytest

from recipekit.audit.measured_changes import metric_changes, within_bounds
from tests.test_manifest import small_manifest

METRICS = {"parity": {"logits": {"sqnr_db": 31.5}}, "size": {"bytes": 7}, "latency": {"p50_ms": 1.5}}


def checks(**passed: bool | None) -> dict[str, Any]:
    listed = [{"name": name.replace("_", "."), "limit": 1, "value": 1, "passed": it} for name, it in passed.items()]
    return small_manifest(checks=listed)


def test_metrics_differ_by_name_and_times_do_not_count() -> None:
    other = {"parity": {"logits": {"sqnr_db": 31.25, "rmse": 1.0}}, "size": {"bytes": 7}, "latency": {"p50_ms": 9.0}}
    found = metric_changes(small_manifest(metrics=METRICS), small_manifest(metrics=other))

    assert [(change.name, change.recorded, change.now) for change in found] == [
        ("parity.logits.rmse", None, 1.0),
        ("parity.logits.sqnr_db", 31.5, 31.25),
    ]
    assert metric_changes(small_manifest(metrics=METRICS), small_manifest(metrics=METRICS)) == ()


@pytest.mark.parametrize(
    ("recorded", "now", "status"),
    [
        ({"size_max": True, "task_min": False}, {"size_max": True, "task_min": False}, "within_bounds"),
        ({"size_max": True}, {"size_max": False}, "out_of_bounds"),
        ({"size_max": True}, {"size_max": None}, "out_of_bounds"),
        ({"size_max": True}, {}, "out_of_bounds"),
        ({"size_max": True, "latency_max": True}, {"size_max": True, "latency_max": False}, "within_bounds"),
        ({"latency_max": True}, {"latency_max": True}, "not_judged"),
        ({}, {"size_max": True}, "not_judged"),
    ],
)
def test_bounds_that_were_kept_must_be_kept_again(recorded: Any, now: Any, status: str) -> None:
    assert within_bounds(checks(**recorded), checks(**now)) == status
