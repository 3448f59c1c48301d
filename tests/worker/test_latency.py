from __future__ import annotations

import time
from typing import cast

import pytest

from recipekit.contracts import BenchmarkSpec
from recipekit.worker import latency
from recipekit.worker.interpreter import Runner


class Sleeper:
    """Stands for a model: it takes a known time and writes down when it ran."""

    def __init__(self, name: str, seconds: float, log: list[str]) -> None:
        self.name, self.seconds, self.log = name, seconds, log

    def invoke(self) -> None:
        self.log.append(self.name)
        time.sleep(self.seconds)


def test_models_take_turns_and_are_told_apart() -> None:
    log: list[str] = []
    sleepers = [Sleeper("slow", 0.01, log), Sleeper("fast", 0.0, log)]
    spec = BenchmarkSpec(runs=4, warmup=2, threads=1)
    slow, fast = map(latency.latency, latency.measure(cast("list[Runner]", sleepers), spec))
    assert log == ["slow", "fast"] * 6
    assert slow.p50_ms >= 10 > fast.p50_ms
    assert slow.p50_ms <= slow.p90_ms
    assert slow.mean_ms >= 10


def test_warmup_is_not_timed() -> None:
    class Warming(Sleeper):
        def invoke(self) -> None:
            super().invoke()
            self.seconds = 0.0

    (milliseconds,) = latency.measure(
        cast("list[Runner]", [Warming("model", 0.3, [])]), BenchmarkSpec(runs=3, warmup=1, threads=1)
    )
    assert latency.latency(milliseconds).mean_ms == pytest.approx(0, abs=20)
