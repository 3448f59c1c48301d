"""Telling how far a stage is: bounded in number, next to free, and silent where no stage is at work."""

from __future__ import annotations

import time
from pathlib import Path

import msgspec
import pytest

from recipekit.contracts import Progress
from recipekit.worker import progress
from recipekit.worker.progress import Counted


def test_what_is_counted_is_told_a_few_times_a_second_and_never_at_once(tmp_path: Path) -> None:
    file, seen = tmp_path / progress.FILE, set()
    with progress.told_in(tmp_path):
        for item in Counted(range(1000), 1000, "samples", "decode"):
            if item == 0:
                assert not file.exists()
            time.sleep(0.001)
            if file.exists():
                seen.add(file.read_bytes())
    told = sorted((msgspec.json.decode(each, type=Progress) for each in seen), key=lambda it: it.done)
    assert 3 <= len(told) <= 12
    assert {(it.total, it.unit, it.note) for it in told} == {(1000, "samples", "decode")}
    assert all(0 < it.done < 1000 for it in told)


def test_a_reading_that_begins_anew_counts_anew() -> None:
    counted = Counted([3, 1, 2], 3, "samples")
    assert [*counted, *counted] == [3, 1, 2, 3, 1, 2]


def test_outside_of_a_stage_nothing_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with progress.told_in(tmp_path):
        pass
    time.sleep(0.3)
    progress.tell(1, 2, "samples")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_gone_disturbs_no_stage(tmp_path: Path) -> None:
    with progress.told_in(tmp_path / "gone"):
        time.sleep(0.3)
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
