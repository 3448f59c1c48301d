"""Rows as a sweep's children give them: a few with every fate, and as many as anybody asks for."""

from __future__ import annotations

import random
from typing import Any

QUANTIZATIONS = ("none", "float16", "dynamic_range", "int8", "int16x8", "weight_only_int8", "weight_only_int4")


def child(number: int = 0, **changes: Any) -> dict[str, Any]:
    """A child that was accepted."""
    overrides = [f"converter={QUANTIZATIONS[number % 7]}", f"seed={number}", "evaluation.benchmark.runs=20"]
    return {
        "number": number,
        "recipe": "digits",
        "overrides": overrides,
        "name": "digits",
        "verdict": "accepted",
        "exit_code": 0,
        "error": None,
        "size": 300_000 + number,
        "sqnr_db": 24.5,
        "seconds": 1.25,
        "output": f"../../digits/1.0.0/{number:012x}",
        "version": "1.0.0",
        "build_key": f"{number:064x}",
        "ratio": 0.3,
        "argmax_agreement": 0.98,
        "latency_p50_ms": 0.5,
        "failed_checks": [],
        "task.top1_accuracy": 0.95,
        "task.top1_accuracy.float": 0.97,
        "task.top1_accuracy.drop": 0.02,
        "task.top1_accuracy.better": "higher",
    } | changes


def failed(number: int, error: str = "RK401 operator FFT can't be converted") -> dict[str, Any]:
    """A child without an output: nothing was measured."""
    kept = {key: value for key, value in child(number).items() if not key.startswith("task.")}
    measured = dict.fromkeys(("size", "sqnr_db", "ratio", "argmax_agreement", "latency_p50_ms"))
    return {**kept, **measured, "verdict": "failed", "exit_code": 4, "error": error, "output": ""}


def measured(number: int, size: int, accuracy: float, latency: float, **changes: Any) -> dict[str, Any]:
    """A child with a place in every plot."""
    return child(
        number,
        size=size,
        ratio=size / 1_000_000,
        latency_p50_ms=latency,
        **{"task.top1_accuracy": accuracy, "task.top1_accuracy.drop": 0.97 - accuracy, **changes},
    )


def every_fate() -> list[dict[str, Any]]:
    """Seven children: five measured ones, two of them rejected, one that is not judged, and one that has failed."""
    bounds = ["parity.sqnr_db.min", "task.top1_accuracy.min"]
    return [
        measured(0, 1_000_000, 0.97, 0.9),
        measured(1, 500_000, 0.97, 0.8),
        measured(2, 300_000, 0.95, 0.6),
        measured(3, 320_000, 0.94, 0.7),
        measured(4, 250_000, 0.60, 0.5, verdict="rejected", exit_code=3, failed_checks=bounds),
        child(5, verdict="not-judged", exit_code=4, sqnr_db=None, argmax_agreement=None, latency_p50_ms=None)
        | dict.fromkeys(key for key in child() if key.startswith("task.")),
        failed(6),
    ]


def many(count: int) -> list[dict[str, Any]]:
    """Children with numbers by chance, a tenth of them failed and two tenths rejected."""
    chance = random.Random(0)
    rows = []
    for number in range(count):
        if number % 10 == 9:
            rows.append(failed(number))
            continue
        size, accuracy = chance.randint(200_000, 2_000_000), 0.9 + 0.1 * chance.random()
        row = measured(number, size, accuracy, size / 1e6 * (0.5 + chance.random()))
        rows.append(row | {"verdict": "rejected", "exit_code": 3} if number % 10 > 6 else row)
    return rows
