"""What is put is found, whole or not at all; one computes and the others wait."""

from __future__ import annotations

import errno
import math
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recipekit import digests
from recipekit.errors import OutputFault, SourceError
from recipekit.store import Entry, Lease, Store
from recipekit.store import entry as entries
from tests.properties import at_most
from tests.store.small_entries import document_of, key_of, left_behind, put, stage_folder

HOLDER = """
import sys
from pathlib import Path
from recipekit.store import Store
with Store(Path(sys.argv[1])).lease() as lease, lease.hold(sys.argv[2], print):
    print("held", flush=True)
    sys.stdin.read()
"""


# --- put and find -------------------------------------------------------------------------------------------------


def test_what_is_put_is_found(store: Store, root: Path, work: Path) -> None:
    folder = stage_folder(work)
    with store.lease() as lease:
        entry = lease.put(key_of(1), folder, document_of(1))
        assert lease.find(key_of(1)) == entry
    with store.lease() as lease:
        assert lease.find(key_of(1)) == entry
        assert lease.find(key_of(2)) is None

    assert entry.folder == root / key_of(1)[:2] / key_of(1)
    assert entry.document == document_of(1)
    assert (entry.folder / "artifacts" / "model.tflite").read_bytes() == b"model"
    assert (entry.folder / "artifacts" / "assets").is_dir()
    assert (entry.folder / "log.txt").read_text() == "lowered\n"
    assert list(folder.iterdir()) == []
    assert left_behind(root) == []


def test_what_is_made_of_an_entry_is_made_once_while_the_entry_stays(store: Store, work: Path) -> None:
    made: list[str] = []

    def make(of: str, entry: Entry) -> list[Any]:
        made.append(of)
        return [entry.document]

    def of_entry(lease: Lease, of: str = "record") -> list[Any]:
        entry = lease.find(key_of(1))
        assert entry is not None
        return entry.once(of, lambda: make(of, entry))

    with store.lease() as lease:
        put(lease, work, 1)
        first = of_entry(lease)
        assert of_entry(lease) is first
        assert of_entry(lease, "another") is not first
        shutil.rmtree(lease.find(key_of(1)).folder)  # type: ignore[union-attr]
        put(lease, work, 1)
        assert of_entry(lease) is not first
    assert made == ["record", "another", "record"]


def test_a_stage_may_leave_neither_artifacts_nor_a_log(store: Store, work: Path) -> None:
    with store.lease() as lease:
        entry = lease.put(key_of(1), work, {})
        assert lease.find(key_of(1)) == entry
    with store.lease() as lease:
        assert lease.find(key_of(1)) == entry


def test_nothing_is_made_before_something_is_put(store: Store, root: Path) -> None:
    with store.lease() as lease:
        assert lease.find(key_of(1)) is None
    assert store.info().entries == 0
    store.collect(older_than=0, max_bytes=0)
    assert not root.exists()


def test_the_first_put_stays(store: Store, root: Path, work: Path) -> None:
    folder = stage_folder(work, b"second")
    with store.lease() as lease, store.lease() as other:
        first = put(other, work, 1, b"first")
        assert lease.put(key_of(1), folder, document_of(2)) == first
        assert (first.folder / "artifacts" / "model.tflite").read_bytes() == b"first"
        assert not (folder / "artifacts").exists()
        assert list((root / ".areas").glob("*/*")) == [], "what was brought is dropped at once"
    assert left_behind(root) == []


def test_a_put_replaces_what_is_no_whole_entry(store: Store, root: Path, work: Path) -> None:
    with store.lease() as lease:
        damaged = put(lease, work, 1, b"first").folder
    (damaged / "log.txt").unlink()
    with store.lease() as lease:
        entry = put(lease, work, 1, b"second")
        assert (entry.folder / "artifacts" / "model.tflite").read_bytes() == b"second"
    assert left_behind(root) == []


@pytest.mark.parametrize("make", [Path.touch, Path.mkdir, lambda path: path.symlink_to("nowhere")])
def test_whatever_lies_in_an_entry_s_place_counts_as_absent(
    store: Store, root: Path, work: Path, make: Callable[[Path], None]
) -> None:
    place = root / key_of(1)[:2] / key_of(1)
    place.parent.mkdir(parents=True)
    make(place)
    with store.lease() as lease:
        assert lease.find(key_of(1)) is None
        assert not os.path.lexists(place)
        make(place)
        entry = put(lease, work, 1)
        assert lease.find(key_of(1)) == entry


def test_a_document_keeps_what_json_keeps(store: Store, work: Path) -> None:
    with store.lease() as lease:
        assert lease.put(key_of(1), work, {"pair": (1, 2.5), "none": None}).document == {"pair": [1, 2.5], "none": None}


@pytest.mark.parametrize("number", [math.nan, math.inf])
def test_a_number_that_json_lacks_is_refused_and_the_stage_s_folder_stays(
    store: Store, root: Path, work: Path, number: float
) -> None:
    folder = stage_folder(work)
    with store.lease() as lease, pytest.raises(ValueError, match="JSON"):
        lease.put(key_of(1), folder, {"loss": number})
    assert entries.describe(folder) == entries.describe(stage_folder(work))
    assert left_behind(root) == []


def test_an_artifact_that_is_a_link_is_refused(store: Store, work: Path) -> None:
    folder = stage_folder(work)
    (folder / "artifacts" / "link").symlink_to("model.tflite")
    with store.lease() as lease:
        with pytest.raises(SourceError, match="not a regular file"):
            lease.put(key_of(1), folder, {})
        assert lease.find(key_of(1)) is None


def test_artifacts_come_from_another_file_system_too(
    store: Store, root: Path, work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = stage_folder(work)
    original = Path.rename

    def rename(path: Path, target: Path) -> Path:
        if path.is_relative_to(work):
            raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))
        return original(path, target)

    monkeypatch.setattr(Path, "rename", rename)
    with store.lease() as lease:
        entry = lease.put(key_of(1), folder, {})
    assert (entry.folder / "artifacts" / "assets").is_dir()
    assert list(folder.iterdir()) == []
    with store.lease() as lease:
        assert lease.find(key_of(1)) == entry


# --- what is there isn't trusted ----------------------------------------------------------------------------------


def flip(folder: Path) -> None:
    (folder / "artifacts" / "model.tflite").write_bytes(b"modeL")


def grow(folder: Path) -> None:
    (folder / "artifacts" / "variables" / "index").write_bytes(b"more")


def lose(folder: Path) -> None:
    (folder / "log.txt").unlink()


def add(folder: Path) -> None:
    (folder / "artifacts" / "extra").touch()


def link(folder: Path) -> None:
    (folder / "log.txt").rename(folder.parents[1] / "elsewhere")
    (folder / "log.txt").symlink_to(folder.parents[1] / "elsewhere")


def tear(folder: Path) -> None:
    data = (folder / "entry.json").read_bytes()
    (folder / "entry.json").write_bytes(data[: len(data) // 2])


def forget(folder: Path) -> None:
    (folder / "entry.json").unlink()


def zero(folder: Path) -> None:
    (folder / "entry.json").write_bytes(bytes((folder / "entry.json").stat().st_size))


def another_key(folder: Path) -> None:
    (folder / "entry.json").write_bytes(entries.encode(key_of(2), entries.describe(folder), document_of(1)))


def another_format(folder: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(entries, "_FORMAT", 2)
        (folder / "entry.json").write_bytes(entries.encode(key_of(1), entries.describe(folder), document_of(1)))


@pytest.mark.parametrize(
    "damage", [flip, grow, lose, add, link, tear, forget, zero, another_key, another_format, shutil.rmtree]
)
def test_a_damaged_entry_is_removed_and_counts_as_absent(
    store: Store, root: Path, work: Path, damage: Callable[[Path], None]
) -> None:
    with store.lease() as lease:
        folder = put(lease, work, 1).folder
    damage(folder)
    with store.lease() as lease:
        assert lease.find(key_of(1)) is None
        assert not folder.exists()
        assert lease.find(key_of(1)) is None
        entry = put(lease, work, 1)
        assert lease.find(key_of(1)) == entry
    assert left_behind(root) == []


@settings(max_examples=at_most(60))
@given(st.data())
def test_any_changed_byte_is_noticed(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    home = tmp_path_factory.mktemp("home")
    store = Store(home / "store")
    with store.lease() as lease:
        folder = put(lease, home, 1).folder
    path = folder / data.draw(st.sampled_from(["entry.json", "artifacts/model.tflite", "log.txt"]))
    content = bytearray(path.read_bytes())
    content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    path.write_bytes(content)
    with store.lease() as lease:
        assert lease.find(key_of(1)) is None


def test_files_are_read_once_a_lease(store: Store, work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    original = digests.of_file

    def of_file(path: Path) -> str:
        time.sleep(0.005)  # so that threads would overlap
        read.append(path.name)
        return original(path)

    with store.lease() as lease:
        put(lease, work, 1)
        monkeypatch.setattr(digests, "of_file", of_file)
        assert lease.find(key_of(1)) is not None
        assert read == [], "what it has put itself it knows"
    with store.lease() as lease:
        threads = [threading.Thread(target=lease.find, args=[key_of(1)]) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(read) == ["index", "log.txt", "model.tflite"]


def test_an_entry_that_was_replaced_is_read_again(store: Store, work: Path) -> None:
    with store.lease() as lease, store.lease() as other:
        folder = put(lease, work, 1).folder
        shutil.rmtree(folder)
        assert lease.find(key_of(1)) is None
        put(other, work, 1, b"other")
        flip(folder)
        assert lease.find(key_of(1)) is None


def test_a_damaged_entry_that_somebody_has_replaced_meanwhile_stays(
    store: Store, work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = entries.holds

    def holds(folder: Path, files: dict[str, object]) -> bool:
        whole = original(folder, files)
        if not whole:
            monkeypatch.setattr(entries, "holds", original)
            shutil.rmtree(folder)
            put(other, work, 1, b"fresh")
        return whole

    with store.lease() as lease, store.lease() as other:
        flip(put(other, work, 1).folder)
        monkeypatch.setattr(entries, "holds", holds)
        assert lease.find(key_of(1)) is None
        entry = lease.find(key_of(1))
        assert entry is not None
        assert (entry.folder / "artifacts" / "model.tflite").read_bytes() == b"fresh"


# --- a store that refuses -----------------------------------------------------------------------------------------


@pytest.fixture(params=[errno.EROFS, errno.EACCES])
def read_only(request: pytest.FixtureRequest, store: Store, work: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """A store with one entry in which nothing can be changed."""
    with store.lease() as lease:
        put(lease, work, 1)
    original = os.open

    def refuse(*arguments: object, **options: object) -> None:
        raise OSError(request.param, os.strerror(request.param))

    def read(path: Path, flags: int, mode: int = 0o777) -> int:
        if flags & (os.O_RDWR | os.O_WRONLY | os.O_CREAT):
            refuse()
        return original(path, flags, mode)

    monkeypatch.setattr(os, "open", read)
    monkeypatch.setattr(os, "utime", refuse)
    for call in ("mkdir", "rename", "write_bytes", "unlink"):
        monkeypatch.setattr(Path, call, refuse)
    return store


def test_a_store_that_can_only_be_read_is_read(read_only: Store) -> None:
    with read_only.lease() as lease:
        entry = lease.find(key_of(1))
        assert entry is not None
        assert lease.find(key_of(1)) == entry


def test_a_damaged_entry_of_a_store_that_can_only_be_read_counts_as_absent(read_only: Store, root: Path) -> None:
    (root / key_of(1)[:2] / key_of(1) / "log.txt").open("w").close()
    with read_only.lease() as lease:
        assert lease.find(key_of(1)) is None


def test_to_hold_a_key_of_a_store_that_can_only_be_read_is_a_fault(read_only: Store) -> None:
    with read_only.lease() as lease, pytest.raises(OutputFault), lease.hold(key_of(2), pytest.fail):
        pass


def test_to_put_into_a_store_that_can_only_be_read_is_a_fault(read_only: Store, work: Path) -> None:
    with read_only.lease() as lease, pytest.raises(OutputFault) as caught:
        lease.put(key_of(2), work, {})
    assert caught.value.fix


@pytest.mark.parametrize("call", [Path.write_bytes, Path.rename, Path.mkdir])
def test_a_full_disk_is_a_fault_and_leaves_nothing(
    store: Store, root: Path, work: Path, call: Callable[..., object], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = stage_folder(work)
    with store.lease() as lease:
        put(lease, work, 2)

        def refuse(path: Path, *arguments: object, **options: object) -> None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

        with monkeypatch.context() as patch:
            patch.setattr(Path, call.__name__, refuse)
            with pytest.raises(OutputFault, match="13 bytes needed"):
                lease.put(key_of(1), folder, {})
        assert lease.find(key_of(1)) is None
        assert entries.describe(folder) == entries.describe(stage_folder(work))
        assert lease.put(key_of(1), folder, {}) == lease.find(key_of(1))
    assert left_behind(root) == []


def test_a_root_that_is_a_file_is_a_fault(store: Store, root: Path, work: Path) -> None:
    root.touch()
    with store.lease() as lease:
        assert lease.find(key_of(1)) is None
        with pytest.raises(OutputFault):
            put(lease, work, 1)


# --- one computes, the others wait --------------------------------------------------------------------------------


@pytest.fixture
def holder(root: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds a key until its input ends."""
    command = [sys.executable, "-c", HOLDER, str(root), key_of(1)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_who_waits_is_told_for_which_process_on_which_host(
    store: Store, root: Path, holder: subprocess.Popen[str]
) -> None:
    messages: list[str] = []

    def told(message: str) -> None:
        messages.append(message)
        assert holder.stdin is not None
        holder.stdin.close()

    with store.lease() as lease, lease.hold(key_of(1), told):
        pass

    assert messages == [f"process {holder.pid} on {socket.gethostname()} computes the same stage; waiting for it"]
    holder.wait()
    assert left_behind(root) == []


def test_other_keys_do_not_wait(store: Store, holder: subprocess.Popen[str]) -> None:
    with store.lease() as lease, lease.hold(key_of(2), pytest.fail):
        pass


def test_a_key_that_is_held_elsewhere_can_be_looked_for_and_put(
    store: Store, work: Path, holder: subprocess.Popen[str]
) -> None:
    with store.lease() as lease:
        assert lease.find(key_of(1)) is None
        assert put(lease, work, 1) == lease.find(key_of(1))


def test_the_lock_of_a_killed_process_is_free(store: Store, root: Path, holder: subprocess.Popen[str]) -> None:
    holder.kill()
    holder.wait()
    assert left_behind(root) == [f".computing/{key_of(1)}"]

    with store.lease() as lease, lease.hold(key_of(1), pytest.fail):
        pass

    assert left_behind(root) == []


def test_of_many_threads_one_computes(store: Store, root: Path, work: Path) -> None:
    computed: list[int] = []
    messages: list[str] = []

    def run() -> None:
        for number in range(5):
            with lease.hold(key_of(number), messages.append):
                if lease.find(key_of(number)) is None:
                    computed.append(number)
                    put(lease, work, number)

    with store.lease() as lease:
        threads = [threading.Thread(target=run) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert sorted(computed) == [0, 1, 2, 3, 4]
    assert all("computes the same stage" in message for message in messages)
    assert left_behind(root) == []


def test_a_lock_is_free_when_the_computation_fails(store: Store, root: Path) -> None:
    with store.lease() as lease:
        with pytest.raises(KeyboardInterrupt), lease.hold(key_of(1), pytest.fail):
            raise KeyboardInterrupt
        with lease.hold(key_of(1), pytest.fail):
            pass
    assert left_behind(root) == []
