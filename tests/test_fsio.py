from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recipekit import digests, fsio
from recipekit.errors import OutputFault


def test_a_file_is_created_with_its_bytes(tmp_path: Path) -> None:
    fsio.write_bytes(tmp_path / "x", b"data")

    assert (tmp_path / "x").read_bytes() == b"data"


def test_a_file_that_is_there_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"old")

    with pytest.raises(FileExistsError):
        fsio.write_bytes(tmp_path / "x", b"new")

    assert (tmp_path / "x").read_bytes() == b"old"


@pytest.mark.parametrize(
    "write",
    [
        lambda path: fsio.write_bytes(path, b"data"),
        lambda path: fsio.write_parts(path, ["da", "ta"]),
        lambda path: fsio.sync(path.parent),
    ],
    ids=["write_bytes", "write_parts", "sync"],
)
def test_a_full_disk_is_noticed_before_the_call_returns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write: Callable[[Path], None]
) -> None:
    def refuse(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", refuse)

    with pytest.raises(OSError, match="No space left"):
        write(tmp_path / "x")


def test_a_tree_is_synced_with_the_last_file_after_the_others_and_folders_at_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "sub/deep/b", "manifest.json", "sub/manifest.json", "z"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    synced: list[str] = []
    monkeypatch.setattr(fsio, "sync", lambda path: synced.append(path.relative_to(tmp_path).as_posix()))

    fsio.sync_tree(tmp_path, last="manifest.json")

    assert sorted(synced[:4]) == ["a", "sub/deep/b", "sub/manifest.json", "z"]
    assert synced[4:] == ["manifest.json", "sub/deep", "sub", "."]


@pytest.mark.parametrize("wrong", ["a", "sub/b", "z"])
def test_where_one_file_cannot_be_synced_the_last_one_is_not_even_tried(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wrong: str
) -> None:
    (tmp_path / "sub").mkdir()
    for name in ("a", "sub/b", "c", "d", "e", "f", "g", "z", "manifest.json"):
        (tmp_path / name).write_text("")
    synced: list[str] = []

    def sync(path: Path) -> None:
        synced.append(path.relative_to(tmp_path).as_posix())
        if path == tmp_path / wrong:
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(fsio, "sync", sync)

    with pytest.raises(OSError, match="Input/output error"):
        fsio.sync_tree(tmp_path, last="manifest.json")

    assert wrong in synced
    assert not {"manifest.json", "sub", "."} & set(synced)


def test_missing_parents_are_made_and_each_is_synced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[Path] = []
    monkeypatch.setattr(fsio, "sync", synced.append)

    fsio.make_folders(tmp_path / "a" / "b")
    fsio.make_folders(tmp_path / "a" / "b")

    assert (tmp_path / "a" / "b").is_dir()
    assert synced == [tmp_path, tmp_path / "a"]


def test_a_link_takes_the_place_of_another(tmp_path: Path) -> None:
    for name, target in (("link", "old"), ("fresh", "new")):
        (tmp_path / name).symlink_to(target)

    fsio.replace_link(tmp_path / "fresh", tmp_path / "link")

    assert str((tmp_path / "link").readlink()) == "new"
    assert not (tmp_path / "fresh").is_symlink()


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_reported_with_what_was_needed_and_what_is_free(tmp_path: Path, code: int) -> None:
    with (
        pytest.raises(OutputFault, match=r"12,345 bytes needed, [\d,]+ free") as caught,
        fsio.reported(tmp_path, 12345),
    ):
        raise OSError(code, os.strerror(code))

    assert caught.value.where == str(tmp_path)
    assert caught.value.exit_code == 7


@pytest.mark.parametrize(
    ("code", "fix"),
    [
        (errno.EACCES, "make it writable for you; it belongs to "),
        (errno.EPERM, "make it writable for you; it belongs to "),
        (errno.EROFS, "choose a folder on a file system that can be written"),
        (errno.EXDEV, "keep the whole outputs folder on one file system"),
        (errno.EMFILE, "raise the limit of open files"),
        (errno.EIO, "check the disk"),
        (errno.ENOTDIR, ""),
    ],
)
def test_every_failure_names_its_path_its_reason_and_its_cure(tmp_path: Path, code: int, fix: str) -> None:
    path = tmp_path / "gone" / "x"

    with pytest.raises(OutputFault) as caught, fsio.reported(tmp_path):
        raise OSError(code, os.strerror(code), str(path))

    assert caught.value.where == str(path)
    assert os.strerror(code) in caught.value.what
    assert caught.value.fix.startswith(fix)


def test_free_space_is_that_of_the_nearest_parent(tmp_path: Path) -> None:
    assert fsio.free_bytes(tmp_path / "not" / "yet" / "made") > 0


FORKING = """
import os, sys
from pathlib import Path
from recipekit import digests, fsio

folder = Path(sys.argv[1])
for _ in range(20):  # until every thread is there
    fsio.sync_tree(folder, "last")
child = os.fork()
if child == 0:
    fsio.sync_tree(folder, "last")
    os._exit(0)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


def test_a_fork_waits_for_no_thread_that_only_its_parent_has(tmp_path: Path) -> None:
    for name in ("last", *map(str, range(50))):
        (tmp_path / name).write_bytes(b"x" * 10_000)
    command = [sys.executable, "-c", FORKING, str(tmp_path)]
    assert subprocess.run(command, timeout=60, check=False).returncode == 0


@given(st.lists(st.binary(max_size=20), max_size=5))
def test_a_file_has_the_digest_and_the_size_of_the_bytes_that_went_into_it(
    tmp_path_factory: pytest.TempPathFactory, parts: list[bytes]
) -> None:
    path = tmp_path_factory.mktemp("written") / "x"

    written = fsio.write_digested(path, parts)

    assert path.read_bytes() == b"".join(parts)
    assert written == (digests.of_file(path), path.stat().st_size)


@given(st.binary(max_size=30), st.integers(0, 40), st.none() | st.integers(0, 40))
def test_the_parts_of_a_file_are_what_lies_between_two_places(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, start: int, end: int | None
) -> None:
    path = tmp_path_factory.mktemp("read") / "x"
    path.write_bytes(data)

    assert b"".join(fsio.read_parts(path, start, end)) == (
        data[start:] if end is None else data[start : max(start, end)]
    )
