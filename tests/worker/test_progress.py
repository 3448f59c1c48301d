"""Telling how far a stage is: bounded in number, next to free, and silent where no stage is at work."""

from __future__ import annotations

import time
from pathlib import Path

import msgspec
import pytest

from recipekit.contracts import Progress
from recipekit.worker import progress
from recipekit.worker.progress import Counted
from tests.clock import Clock


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(progress, "time", clock)
    return clock


def test_what_is_counted_is_told_four_times_a_second_and_never_at_once(tmp_path: Path, clock: Clock) -> None:
    file, told = tmp_path / progress.FILE, []
    with progress.told_in(tmp_path):
        for _ in Counted(range(1024), 1024, "samples", "decode"):
            if file.exists():
                told.append(msgspec.json.decode(file.read_bytes(), type=Progress))
                file.unlink()
            clock.now += 1 / 1024
    assert told == [Progress(done=done, total=1024, unit="samples", note="decode") for done in (256, 512, 768)]


def test_a_reading_that_begins_anew_counts_anew() -> None:
    counted = Counted([3, 1, 2], 3, "samples")
    assert [*counted, *counted] == [3, 1, 2, 3, 1, 2]


def test_outside_of_a_stage_nothing_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    monkeypatch.chdir(tmp_path)
    with progress.told_in(tmp_path):
        pass
    clock.now += 1
    progress.tell(1, 2, "samples")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_gone_disturbs_no_stage(tmp_path: Path, clock: Clock) -> None:
    with progress.told_in(tmp_path / "gone"):
        clock.now += 1
        progress.tell(1, 2, "samples")


def test_counting_costs_less_than_a_microsecond_of_processor_time_each(tmp_path: Path) -> None:
    costs = []
    for _ in range(5):
        started = time.process_time()
        with progress.told_in(tmp_path):
            for _ in Counted(range(200_000), 200_000, "samples"):
                pass
        costs.append((time.process_time() - started) / 200_000)
    assert min(costs) < 1e-6
