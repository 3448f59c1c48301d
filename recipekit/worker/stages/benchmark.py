"""The benchmark stage: how long the candidate takes beside the float32 conversion. Nothing else runs meanwhile."""

from __future__ import annotations

from pathlib import Path

from recipekit.contracts import BenchmarkRequest, Latencies
from recipekit.worker import latency
from recipekit.worker.interpreter import Runner
from recipekit.worker.samples import open_samples


def run(request: BenchmarkRequest, folder: Path) -> Latencies:
    """Times both models on the first evaluation sample.

    Raises:
        EvaluationError: a model can't be run.
        DatasetError, PluginError: as the dataset says.
    """
    reading = open_samples(request.dataset, request.signature, folder)
    first = next(iter(reading))
    runners = [Runner(Path(path), request.benchmark.threads) for path in (request.candidate, request.float32)]
    for runner in runners:
        runner.feed(first.tensors)
    candidate, float32 = latency.measure(runners, request.benchmark)
    return Latencies(candidate=candidate, float32=float32)
