from __future__ import annotations

from typing import cast

import pytest

from recipekit.contracts import BenchmarkSpec
from recipekit.worker import latency
from recipekit.worker.interpreter import Runner
from tests.clock import Clock


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(latency, "time", clock)
    return clock


class Model:
    """Takes a known time for each run in turn, the last one from there on, and writes down when it ran."""

    def __init__(self, name: str, milliseconds: list[int], log: list[str], clock: Clock) -> None:
        self.name, self.milliseconds, self.log, self.clock = name, milliseconds, log, clock

    def invoke(self) -> None:
        self.log.append(self.name)
        self.clock.now += self.milliseconds[0] / 1000
        del self.milliseconds[: len(self.milliseconds) > 1]


def test_models_take_turns_and_are_told_apart(clock: Clock) -> None:
    log: list[str] = []
    models = [Model("slow", [10, 10, 10, 20, 30, 40], log, clock), Model("fast", [1], log, clock)]
    spec = BenchmarkSpec(runs=4, warmup=2, threads=1)
    slow, fast = map(latency.latency, latency.measure(cast("list[Runner]", models), spec))
    assert log == ["slow", "fast"] * 6
    assert (slow.p50_ms, slow.p90_ms, slow.mean_ms) == pytest.approx((25, 37, 25))
    assert (fast.p50_ms, fast.p90_ms, fast.mean_ms) == (1, 1, 1)


def test_warmup_is_not_timed(clock: Clock) -> None:
    models = cast("list[Runner]", [Model("model", [300, 7], [], clock)])
    (milliseconds,) = latency.measure(models, BenchmarkSpec(runs=3, warmup=1, threads=1))
    assert milliseconds.tolist() == [7, 7, 7]
