"""Latency of converted models on this machine, measured side by side.

It knows nothing of how many models there are or which of them is the candidate.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from recipekit.contracts import BenchmarkSpec, Latency, LatencyRuns
from recipekit.worker import progress
from recipekit.worker.interpreter import Runner

_MOST_RUNS = 500

Milliseconds = npt.NDArray[np.float64]


def measure(runners: Sequence[Runner], spec: BenchmarkSpec) -> list[Milliseconds]:
    """Times `invoke` alone, at batch 1, on the inputs that the runners hold.

    The models take turns, run by run, so that whatever else the machine does slows all of them and their ratio stays.

    Args:
        runners: each fed with a sample.
        spec: how many timed and untimed runs.

    Returns:
        The milliseconds of each run, for each runner in their order.
    """
    for _ in range(spec.warmup):
        for runner in runners:
            runner.invoke()
    nanoseconds = np.empty((len(runners), spec.runs), np.float64)
    for run in range(spec.runs):
        progress.tell(run, spec.runs, "runs")
        for row, runner in zip(nanoseconds, runners, strict=True):
            started = time.perf_counter_ns()
            runner.invoke()
            row[run] = time.perf_counter_ns() - started
    return [row / 1e6 for row in nanoseconds]


def latency(milliseconds: Milliseconds) -> Latency:
    """The latency that some timed runs have shown."""
    p50, p90 = np.percentile(milliseconds, [50, 90]).tolist()
    return Latency(p50_ms=p50, p90_ms=p90, mean_ms=float(milliseconds.mean()))


def runs(candidate: Milliseconds, float32: Milliseconds) -> LatencyRuns:
    """The single runs of two models, to be drawn."""
    return LatencyRuns(candidate=_thinned(candidate), float32=_thinned(float32))


def _thinned(milliseconds: Milliseconds) -> tuple[float, ...]:
    ordered = np.sort(milliseconds)
    if ordered.size > _MOST_RUNS:
        ordered = ordered[np.linspace(0, ordered.size - 1, _MOST_RUNS).round().astype(np.intp)]
    return tuple(ordered.tolist())
