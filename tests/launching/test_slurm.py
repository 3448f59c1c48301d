"""What SLURM's words mean, and when it is asked: a job is given up when two looks in turn have missed it."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from recipekit.launching.slurm import Queue, meaning


class Site:
    """A clock, and a `squeue` that lists what it is told to."""

    def __init__(self, folder: Path) -> None:
        self.now = 0.0
        self._listed = folder / "listed"
        self._looks = folder / "looks"
        (folder / "squeue").write_text(f"#!/bin/sh\necho >>{self._looks}\ncat {self._listed}\n")
        (folder / "squeue").chmod(0o755)

    def lists(self, *jobs: str) -> None:
        self._listed.write_text("".join(f"{job}\n" for job in jobs))

    @property
    def looks(self) -> int:
        return len(self._looks.read_text().splitlines())


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    site = Site(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.setattr("recipekit.launching.slurm.time", SimpleNamespace(monotonic=lambda: site.now))
    return site


def gone_by(site: Site, queue: Queue, until: int) -> set[str]:
    """What is gone by a second, asked in each one."""
    found: set[str] = set()
    while site.now < until:
        site.now += 1
        found |= queue.gone(["1_0", "1_1"])
    return found


def test_while_nothing_is_missing_the_queue_is_looked_at_ever_more_rarely(here: Site) -> None:
    here.lists("1_0", "1_1")
    assert gone_by(here, Queue("sweep"), 3600) == set()
    assert 60 < here.looks < 80


def test_a_job_that_is_missing_is_gone_two_seconds_after_it_was_missed(here: Site) -> None:
    here.lists("1_0", "1_1")
    queue = Queue("sweep")
    gone_by(here, queue, 3600)
    here.lists("1_1")
    missed = here.looks
    while here.looks == missed:
        assert gone_by(here, queue, int(here.now) + 1) == set(), "one look may have missed it"
    assert gone_by(here, queue, int(here.now) + 2) == {"1_0"}


def test_a_job_that_is_back_in_the_queue_is_not_gone(here: Site) -> None:
    here.lists("1_1")
    queue = Queue("sweep")
    assert gone_by(here, queue, 2) == set()
    here.lists("1_0", "1_1")
    assert gone_by(here, queue, 3600) == set()


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ("NODE_FAIL", "its node failed; SLURM says NODE_FAIL"),
        ("PREEMPTED", "its job was preempted; SLURM says PREEMPTED"),
        ("OUT_OF_MEMORY", "it needed more memory than its job has; SLURM says OUT_OF_MEMORY"),
        ("CANCELLED", "its job was cancelled; SLURM says CANCELLED"),
        ("FAILED", "its process was killed, or ended without a result; SLURM says FAILED"),
        ("", "its process was killed, or ended without a result; SLURM says nothing of it"),
    ],
)
def test_a_job_that_slurm_has_ended_and_not_queued_again_says_its_state(state: str, said: str) -> None:
    what, fix = meaning(state)
    assert what == said
    assert fix
