"""Real processes: killed at every step, killed while they hold something, and racing each other."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from recipekit.store import Store
from tests.store.small_entries import NEW, OLD, document_of, key_of, left_behind, put

PROJECT = Path(__file__).parents[2]

USER = """
import sys
from pathlib import Path
from recipekit.store import Store
with Store(Path(sys.argv[1])).lease() as lease:
    assert lease.find(sys.argv[2])
    print("found", flush=True)
    sys.stdin.read()
"""


def killed_runs(base: Path, work: Path, what: str) -> Iterator[Path]:
    command = [sys.executable, "-m", "tests.store.put_until_killed", str(base), what]
    subprocess.run(command, check=True, cwd=PROJECT)
    for number in range(1, len([path for path in base.iterdir() if path.name not in {"start", "work"}]) + 1):
        yield base / str(number)


def is_whole(store: Store, number: int) -> bool:
    with store.lease() as lease:
        return lease.find(key_of(number)) is not None


@pytest.mark.slow
@pytest.mark.parametrize("what", ["put", "heal"])
def test_a_process_killed_at_any_step_leaves_a_whole_entry_or_none(tmp_path: Path, work: Path, what: str) -> None:
    with Store(tmp_path / "base" / "start").lease() as lease:
        put(lease, work, OLD)
        if what == "heal":
            (put(lease, work, NEW, b"old").folder / "log.txt").unlink()
    there = []

    for root in killed_runs(tmp_path / "base", work, what):
        store = Store(root)
        folder = root / key_of(NEW)[:2] / key_of(NEW)
        if folder.exists() and what == "put":
            assert is_whole(store, NEW), "what is visible is whole"
        store.collect(older_than=None, max_bytes=None)
        assert left_behind(root) == []
        assert is_whole(store, OLD)
        there.append(is_whole(store, NEW))
        with store.lease() as lease, lease.hold(key_of(NEW), pytest.fail):
            entry = put(lease, work, NEW, b"new")
            assert (entry.folder / "artifacts" / "model.tflite").read_bytes() == b"new"
            assert entry.document == document_of(NEW)
        assert left_behind(root) == []

    assert there == sorted(there), "absent for a while, then there for good"
    assert there.count(False) > 8
    assert there.count(True) > 3


@pytest.mark.slow
def test_a_collector_killed_at_any_step_leaves_whole_entries(tmp_path: Path, work: Path) -> None:
    with Store(tmp_path / "base" / "start").lease() as lease:
        put(lease, work, OLD)
        put(lease, work, NEW)
    left = []

    for root in killed_runs(tmp_path / "base", work, "collect"):
        store = Store(root)
        visible = [number for number in (OLD, NEW) if (root / key_of(number)[:2] / key_of(number)).exists()]
        assert all(is_whole(store, number) for number in visible)
        store.collect(older_than=None, max_bytes=None)
        assert left_behind(root) == []
        left.append(len(visible))

    assert left == sorted(left, reverse=True)
    assert set(left) == {0, 1, 2}


def test_a_collector_spares_what_another_process_uses_until_it_is_killed(store: Store, root: Path, work: Path) -> None:
    with store.lease() as lease:
        for number in (OLD, NEW):
            put(lease, work, number)
    command = [sys.executable, "-c", USER, str(root), key_of(OLD)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "found\n"

        assert store.collect(older_than=0, max_bytes=None)._replace(bytes=0) == (1, 0, 1)
        assert is_whole(store, OLD)
        process.kill()

    assert len(left_behind(root)) == 1, "its claims"
    assert store.collect(older_than=0, max_bytes=None)._replace(bytes=0) == (1, 0, 0)
    assert left_behind(root) == []


@pytest.mark.slow
def test_a_collector_never_removes_what_a_racing_process_uses(root: Path) -> None:
    work = ["use", "use", "use", "collect", "collect"]
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.store.race", str(root), "3", what],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=PROJECT,
        )
        for what in work
    ]
    told = [process.communicate(timeout=60) for process in processes]
    assert [process.returncode for process in processes] == [0] * len(work), "\n".join(error for _, error in told)

    found, computed, removed = (sum(column) for column in zip(*(map(int, out.split()) for out, _ in told), strict=True))
    assert min(found, computed, removed) > 5
    store = Store(root)
    assert store.info().entries == computed - removed
    store.collect(older_than=0, max_bytes=None)
    assert left_behind(root) == []
