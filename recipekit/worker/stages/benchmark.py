"""The stage `benchmark`: how long the candidate takes beside the float32 conversion. Nothing else runs meanwhile."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from msgspec import UNSET

from recipekit.contracts import BenchmarkRequest, Latencies, LatencyPair
from recipekit.worker.interpreter import open_runners
from recipekit.worker.latency import Milliseconds, latency, measure, runs
from recipekit.worker.signature_samples import open_readings


def run(request: BenchmarkRequest, folder: Path) -> Latencies:
    """Times both models on the first evaluation sample of each signature.

    Raises:
        EvaluationError: a model can't be run.
        DatasetError, PluginError: as the dataset says.
    """
    readings = open_readings(request.dataset, request.signatures, folder)
    keys, files = list(request.signatures), (Path(request.candidate), Path(request.float32))
    candidate, float32 = (open_runners(path, keys, request.benchmark.threads) for path in files)
    for key, reading in readings.parts.items():
        first = next(iter(reading))
        candidate[key].feed(first.tensors)
        float32[key].feed(first.tensors)
    timed = measure([runners[key] for key in keys for runners in (candidate, float32)], request.benchmark)
    pairs = dict(zip(keys, zip(timed[::2], timed[1::2], strict=True), strict=True))
    totals = np.sum(timed[::2], axis=0), np.sum(timed[1::2], axis=0)
    total = _pair(*totals)
    signatures = {key: _pair(*pair) for key, pair in pairs.items()} if len(pairs) > 1 else UNSET
    return Latencies(candidate=total.candidate, float32=total.float32, signatures=signatures, runs=runs(*totals))


def _pair(candidate: Milliseconds, float32: Milliseconds) -> LatencyPair:
    return LatencyPair(candidate=latency(candidate), float32=latency(float32))
