"""Locks exclude threads as they do processes, and outlive the removal of their files."""

from __future__ import annotations

import errno
import fcntl
import os
import socket
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from recipekit import locks
from recipekit.errors import OutputFault


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "lock"


def test_a_lock_that_is_held_is_not_given_again(path: Path) -> None:
    descriptor = locks.acquire(path)
    assert locks.try_acquire(path) is None
    locks.release(path, descriptor)
    again = locks.try_acquire(path)
    assert again is not None
    locks.release(path, again)


def test_threads_exclude_each_other(path: Path) -> None:
    inside: list[int] = []
    most = 0

    def enter() -> None:
        nonlocal most
        for _ in range(20):
            with locks.exclusive(path):
                inside.append(1)
                most = max(most, len(inside))
                time.sleep(0)
                inside.pop()

    threads = [threading.Thread(target=enter) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1


def test_shared_holders_keep_out_only_who_wants_it_alone(path: Path) -> None:
    with locks.shared(path), locks.shared(path):
        assert locks.try_acquire(path) is None
    descriptor = locks.try_acquire(path)
    assert descriptor is not None
    os.close(descriptor)


def test_who_waited_for_a_file_that_was_removed_waits_for_the_new_one(path: Path) -> None:
    first = locks.acquire(path)
    order: list[str] = []

    def wait() -> None:
        with locks.exclusive(path):
            order.append("waiter")

    waiter = threading.Thread(target=wait)
    waiter.start()
    time.sleep(0.02)  # so that it waits for the first file; the law holds if it doesn't yet
    path.unlink()
    second = locks.acquire(path)
    os.close(first)
    time.sleep(0.02)
    order.append("second")
    os.close(second)
    waiter.join()
    assert order == ["second", "waiter"]


@pytest.mark.parametrize("code", [errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP])
def test_a_file_system_without_locks_says_what_to_do(path: Path, code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(descriptor: int, operation: int) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(fcntl, "flock", refuse)
    free = os.dup(0)
    os.close(free)
    with pytest.raises(OutputFault, match="can't lock files") as caught:
        locks.acquire(path)
    assert "RECIPEKIT_STORE" in caught.value.fix
    assert caught.value.exit_code == 7
    again = os.dup(0)
    os.close(again)
    assert again == free, "the file that couldn't be locked is closed"


def test_waiting_for_a_lock_has_an_end(path: Path) -> None:
    descriptor = locks.acquire(path)
    started = time.monotonic()
    assert locks.acquire_within(path, 0.1) is None
    assert time.monotonic() - started >= 0.1
    locks.release(path, descriptor)


def test_who_waits_has_the_lock_soon_after_it_is_free(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    held, now, free_from = [locks.acquire(path)], 0.0, 5.618

    def sleep(seconds: float) -> None:
        nonlocal now
        now += seconds
        if now >= free_from and held:
            locks.release(path, held.pop())

    monkeypatch.setattr(locks, "time", SimpleNamespace(sleep=sleep, monotonic=lambda: now))
    mine = locks.acquire_within(path, 30)
    assert mine is not None
    assert now - free_from < 0.005
    locks.release(path, mine)


def test_a_lock_says_who_holds_it(path: Path) -> None:
    assert locks.holder(path) == "another process"
    descriptor = locks.acquire(path)
    assert locks.holder(path) == "another process"
    locks.sign(descriptor)
    assert locks.holder(path) == f"process {os.getpid()} on {socket.gethostname()}"
    locks.release(path, descriptor)
