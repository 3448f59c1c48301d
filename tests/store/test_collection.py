"""What goes, in which order, and what never does."""

from __future__ import annotations

import errno
import os
import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from recipekit import locks
from recipekit.errors import OutputFault
from recipekit.store import Collected, StageUse, Store
from tests.store.small_entries import key_of, left_behind, put

DAY = 86400


def age(root: Path, number: int, seconds: float) -> None:
    """Makes an entry look unused for so long."""
    then = time.time() - seconds
    os.utime(root / key_of(number)[:2] / key_of(number) / "entry.json", (then, then))


def fill(store: Store, root: Path, work: Path, ages: dict[int, float]) -> int:
    """Puts entries that were unused for so many seconds, all of one size; returns that size in bytes."""
    with store.lease() as lease:
        for number in ages:
            put(lease, work, number)
    for number, seconds in ages.items():
        age(root, number, seconds)
    return store.info().bytes // len(ages)


def there(root: Path) -> set[int]:
    return {number for number in range(10) if (root / key_of(number)[:2] / key_of(number)).exists()}


def test_info_counts_entries_and_bytes_a_stage(store: Store, root: Path, work: Path) -> None:
    with store.lease() as lease:
        put(lease, work, 1, b"12345")
        put(lease, work, 2, b"12345", stage="load")
        put(lease, work, 3, b"123456", stage="load")
    age(root, 1, 2 * DAY)
    info = store.info()
    on_disk = sum(path.stat().st_size for path in root.glob("[!.]*/*/**/*") if path.is_file())
    assert (info.entries, info.bytes) == (3, on_disk)
    assert list(info.stages) == ["load", "lower"]
    assert info.stages["load"].entries == 2
    assert sum(use.bytes for use in info.stages.values()) == on_disk
    assert info.oldest_use == pytest.approx(time.time() - 2 * DAY, abs=60)
    assert info.newest_use == pytest.approx(time.time(), abs=60)


def test_an_unusable_entry_is_counted_and_collected(store: Store, root: Path, work: Path) -> None:
    fill(store, root, work, {1: 0})
    (root / key_of(1)[:2] / key_of(1) / "entry.json").write_bytes(b"{")
    assert store.info().stages == {"(unusable)": StageUse(1, 1 + 5 + 8)}
    assert store.collect(older_than=0, max_bytes=None) == (1, 14, 0)
    assert there(root) == set()


def test_what_was_unused_for_long_goes(store: Store, root: Path, work: Path) -> None:
    size = fill(store, root, work, {1: 3 * DAY, 2: 2 * DAY, 3: 0})
    assert store.collect(older_than=2 * DAY, max_bytes=None) == Collected(2, 2 * size, 0)
    assert there(root) == {3}
    assert left_behind(root) == []


def test_what_was_unused_the_longest_goes_until_the_rest_fits(store: Store, root: Path, work: Path) -> None:
    size = fill(store, root, work, {1: 10, 2: 40, 3: 30, 4: 20})
    assert store.collect(older_than=None, max_bytes=4 * size) == (0, 0, 0)
    assert store.collect(older_than=None, max_bytes=3 * size - 1) == (2, 2 * size, 0)
    assert there(root) == {1, 4}


def test_to_be_found_is_to_be_used(store: Store, root: Path, work: Path) -> None:
    fill(store, root, work, {1: 2 * DAY, 2: 2 * DAY})
    with store.lease() as lease:
        assert lease.find(key_of(1)) is not None
    store.collect(older_than=DAY, max_bytes=None)
    assert there(root) == {1}


def test_without_a_limit_nothing_goes(store: Store, root: Path, work: Path) -> None:
    fill(store, root, work, {1: 1000 * DAY})
    assert store.collect(older_than=None, max_bytes=None) == (0, 0, 0)
    assert there(root) == {1}


def test_what_a_lease_has_found_or_put_stays_as_long_as_it_lives(store: Store, root: Path, work: Path) -> None:
    size = fill(store, root, work, {1: 0, 2: 0})
    with store.lease() as lease:
        lease.find(key_of(1))
        put(lease, work, 3)
        assert store.collect(older_than=0, max_bytes=None, dry_run=True) == (1, size, 2)
        assert store.collect(older_than=0, max_bytes=0) == (1, size, 2)
        assert there(root) == {1, 3}
        with store.lease() as other:
            other.find(key_of(1))
        assert store.collect(older_than=0, max_bytes=None) == (0, 0, 2)
    assert store.collect(older_than=0, max_bytes=None).entries == 2


def test_entries_in_use_count_for_the_size_that_is_left(store: Store, root: Path, work: Path) -> None:
    size = fill(store, root, work, {1: 30, 2: 20, 3: 10})
    with store.lease() as lease:
        lease.find(key_of(1))
        age(root, 1, 30)
        assert store.collect(older_than=None, max_bytes=2 * size) == (1, size, 1)
    assert there(root) == {1, 3}


def test_what_was_used_since_it_was_seen_stays(
    store: Store, root: Path, work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(store, root, work, {1: DAY})
    original = locks.exclusive

    def exclusive(path: Path) -> AbstractContextManager[None]:
        if path.parent.name == ".gates":
            age(root, 1, 0)
        return original(path)

    monkeypatch.setattr(locks, "exclusive", exclusive)
    assert store.collect(older_than=DAY, max_bytes=None) == (0, 0, 1)
    assert there(root) == {1}


def test_who_claims_a_key_waits_for_its_removal(store: Store, root: Path, work: Path) -> None:
    fill(store, root, work, {1: 0})
    with store.lease() as lease, ThreadPoolExecutor(1) as thread:
        with locks.exclusive(root / ".gates" / key_of(1)[:2]):
            finding = thread.submit(lease.find, key_of(1))
            time.sleep(0.05)
            assert not finding.done()
            shutil.rmtree(root / key_of(1)[:2] / key_of(1))
        assert finding.result() is None


def test_a_removal_waits_for_who_claims_the_key(store: Store, root: Path, work: Path) -> None:
    fill(store, root, work, {1: 0})
    with store.lease() as lease, ThreadPoolExecutor(1) as thread:
        with locks.shared(root / ".gates" / key_of(1)[:2]):
            collecting = thread.submit(store.collect, older_than=0, max_bytes=None)
            time.sleep(0.05)
            assert lease.find(key_of(1)) is not None
        assert collecting.result() == (0, 0, 1)
        assert there(root) == {1}


def test_a_dry_run_only_counts(store: Store, root: Path, work: Path) -> None:
    size = fill(store, root, work, {1: 2 * DAY, 2: 0})
    before = sorted(root.rglob("*"))
    assert store.collect(older_than=DAY, max_bytes=0, dry_run=True) == (2, 2 * size, 0)
    assert sorted(root.rglob("*")) == before


def test_locks_and_areas_of_the_dead_go_and_those_of_the_living_stay(store: Store, root: Path, work: Path) -> None:
    with store.lease() as lease, lease.hold(key_of(1), pytest.fail):
        put(lease, work, 2)
        living = left_behind(root)
        (root / ".computing" / key_of(3)).touch()
        (root / ".leases" / "dead").write_text(f"{key_of(2)}\n")
        (root / ".areas" / "dead" / "entry").mkdir(parents=True)
        (root / ".areas" / "older" / "entry").mkdir(parents=True)
        store.collect(older_than=None, max_bytes=None)
        assert left_behind(root) == living


def test_what_is_not_the_store_s_is_left_alone(store: Store, root: Path, work: Path) -> None:
    fill(store, root, work, {1: 0})
    strangers = [root / "ab" / "note", root / key_of(2), root / "zz" / key_of(3), root / "readme", root / ".work" / "x"]
    for stranger in strangers:
        stranger.mkdir(parents=True)
    store.collect(older_than=0, max_bytes=0)
    assert there(root) == set()
    assert all(stranger.exists() for stranger in strangers)
    assert store.info().entries == 0


def test_a_disk_that_refuses_is_a_fault(store: Store, root: Path, work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(store, root, work, {1: 0})

    def refuse(path: Path, target: Path) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO), str(path))

    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(OutputFault, match="Input/output error"):
        store.collect(older_than=0, max_bytes=None)
    monkeypatch.undo()
    assert there(root) == {1}
    assert left_behind(root) == []
