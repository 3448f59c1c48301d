"""A store that many machines share: what one has computed another finds, and no two ever hold different entries."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from recipekit import digests
from recipekit.remote.folder import Folder
from recipekit.remote.place import Place
from recipekit.remote.service import Service
from recipekit.store import Store
from tests.busyness import slowed
from tests.object_storage import Bucket, SharedFolder, at_the_line
from tests.store.small_entries import NEW, OLD, document_of, key_of, left_behind, put, stage_folder

pytestmark = pytest.mark.slow

KEY = key_of(OLD)
NAME = f"entries/{KEY[:2]}/{KEY}.json"


def machine(tmp_path: Path, url: str, name: str = "one") -> Store:
    return Store(tmp_path / name, url)


def model_of(store: Store, number: int) -> str:
    with store.lease() as lease:
        entry = lease.find(key_of(number))
        return "" if entry is None else (entry.folder / "artifacts" / "model.tflite").read_text()


def file_of(data: bytes) -> str:
    digest = digests.of_bytes(data)
    return f"files/{digest[:2]}/{digest}"


def test_what_one_machine_has_put_another_finds_whole_and_keeps(bucket: Bucket, work: Path, tmp_path: Path) -> None:
    one, two = machine(tmp_path, f"{bucket.url}/team"), machine(tmp_path, f"{bucket.url}/team", "two")
    with one.lease() as lease:
        put(lease, work, OLD)
        assert lease.messages() == []
    with two.lease() as lease:
        found = lease.find(KEY)
        assert found is not None
        assert found.document == document_of(OLD)
        assert (found.folder / "log.txt").read_text() == "lowered\n"
        assert (found.folder / "artifacts" / "variables" / "index").read_bytes() == b""
        assert lease.find(key_of(NEW)) is None
        assert lease.messages() == []
    assert left_behind(tmp_path / "two") == []
    with Store(tmp_path / "two").lease() as lease:
        assert lease.find(KEY) == found, "it is this machine's from now on"


def test_files_are_kept_once_however_many_entries_hold_them(
    shared_folder: SharedFolder, work: Path, tmp_path: Path
) -> None:
    with machine(tmp_path, shared_folder.url).lease() as lease:
        for number in range(3):
            put(lease, work, number)
    assert len(shared_folder.names("entries")) == 3
    assert shared_folder.names("files") == sorted(map(file_of, (b"model", b"", b"lowered\n")))


def test_what_is_found_here_asks_nobody(
    bucket: Bucket, work: Path, tmp_path: Path, lose_s3: Callable[[], None]
) -> None:
    with machine(tmp_path, bucket.url).lease() as lease:
        put(lease, work, OLD)
    lose_s3()
    with machine(tmp_path, bucket.url).lease() as lease:
        began = time.monotonic()
        assert lease.find(KEY) is not None
        assert time.monotonic() - began < slowed()
        assert lease.messages() == []


def test_of_machines_that_race_for_a_key_all_hold_the_same(bucket: Bucket, tmp_path: Path) -> None:
    keys, names = 6, ("first", "second", "third")
    script = [sys.executable, "-m", "tests.store.shared_race"]
    racers = at_the_line([*script, str(tmp_path / name), bucket.url, str(keys), name] for name in names)
    held = [racer.communicate("go\n", timeout=120)[0].splitlines() for racer in racers]
    assert [len(lines) for lines in held] == [keys] * len(names), held
    late = machine(tmp_path, bucket.url, "late")
    for number, lines in enumerate(zip(*held, strict=True)):
        assert len(set(lines)) == 1, f"machines disagree about key {number}: {lines}"
        assert model_of(late, number) == lines[0].split()[0]


def test_a_machine_killed_in_the_middle_of_an_upload_leaves_nothing_to_be_found(
    bucket: Bucket, work: Path, tmp_path: Path
) -> None:
    script = [sys.executable, "-m", "tests.store.shared_race", str(tmp_path / "killed"), bucket.url, "1000", "half"]
    child = subprocess.Popen(script, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert child.stdin is not None
    child.stdin.write("go\n")
    child.stdin.flush()
    while len(bucket.names("entries")) < 3:
        time.sleep(0.01)
    child.send_signal(signal.SIGKILL)
    child.communicate()
    made = [Path(name).stem for name in bucket.names("entries")]
    store = machine(tmp_path, bucket.url)
    with store.lease() as lease:
        for key in made:
            found = lease.find(key)
            assert found is not None, "what is there is whole"
        assert lease.messages() == []
        put(lease, work, 999, b"whole")
    assert model_of(machine(tmp_path, bucket.url, "two"), 999) == "whole"


@pytest.mark.parametrize("damage", ["truncated", "other bytes", "missing"])
def test_a_damaged_file_is_told_counts_as_absent_and_is_mended_by_the_next_who_computes_it(
    shared_folder: SharedFolder, work: Path, tmp_path: Path, damage: str
) -> None:
    """The same in a folder, where it costs less to see, and once more in a bucket below."""
    mended(shared_folder, work, tmp_path, damage)


def test_a_truncated_object_of_a_bucket_is_mended_alike(bucket: Bucket, work: Path, tmp_path: Path) -> None:
    mended(bucket, work, tmp_path, "truncated")


def mended(bucket: Bucket | SharedFolder, work: Path, tmp_path: Path, damage: str) -> None:
    with machine(tmp_path, bucket.url).lease() as lease:
        put(lease, work, OLD)
    name = file_of(b"model")
    if damage == "missing":
        bucket.remove(name)
    else:
        bucket.write(name, b"mod" if damage == "truncated" else b"MODEL")
    entry = bucket.read(NAME)
    with machine(tmp_path, bucket.url, "two").lease() as lease:
        assert lease.find(KEY) is None
        (told,) = lease.messages()
        assert f"entry {KEY[:12]} is damaged" in told
        assert bucket.url in told
        put(lease, work, OLD)
        assert lease.messages() == []
    assert bucket.read(name) == b"model"
    assert bucket.read(NAME) == entry, "the same files are the same entry"
    assert model_of(machine(tmp_path, bucket.url, "three"), OLD) == "model"


def test_an_entry_that_can_t_be_mended_gives_way_to_a_whole_one(
    shared_folder: SharedFolder, work: Path, tmp_path: Path
) -> None:
    with machine(tmp_path, shared_folder.url).lease() as lease:
        put(lease, work, OLD, b"lost for ever")
    shared_folder.remove(file_of(b"lost for ever"))
    with machine(tmp_path, shared_folder.url, "two").lease() as lease:
        assert lease.find(KEY) is None
        put(lease, work, OLD, b"computed anew")
    assert model_of(machine(tmp_path, shared_folder.url, "three"), OLD) == "computed anew"


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"sha256": "', "of another key", "outside", "no digest", "no files"])
def test_what_is_no_entry_is_never_taken_for_one(
    shared_folder: SharedFolder, work: Path, tmp_path: Path, text: str
) -> None:
    with machine(tmp_path, shared_folder.url).lease() as lease:
        put(lease, work, OLD)
        put(lease, work, NEW)
    other = key_of(NEW)
    said = json.loads(shared_folder.read(NAME))
    files = said["files"]
    forged = {
        "of another key": shared_folder.read(f"entries/{other[:2]}/{other}.json"),
        "outside": sealed({**said, "files": {"artifacts/../../../planted": files["log.txt"]}}),
        "no digest": sealed({**said, "files": {"log.txt": {"sha256": "../../planted", "size": 1}}}),
        "no files": sealed({**said, "files": None}),
    }
    shared_folder.write(NAME, forged.get(text, text.encode()))
    with machine(tmp_path, shared_folder.url, "two").lease() as lease:
        assert lease.find(KEY) is None
        assert "is damaged" in lease.messages()[0]
        put(lease, work, OLD)
    assert not list(tmp_path.rglob("planted"))
    assert model_of(machine(tmp_path, shared_folder.url, "three"), OLD) == "model"


def sealed(said: dict[str, object]) -> bytes:
    """An entry that someone with the right to write there has made up."""
    body = json.dumps({name: value for name, value in said.items() if name != "sha256"}).encode()
    return f'{{"sha256": "{digests.of_bytes(body)}", '.encode() + body[1:]


def test_a_server_that_is_gone_is_asked_once_and_one_message_and_the_work_goes_on(
    bucket: Bucket, work: Path, tmp_path: Path, lose_s3: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    ask = Place._service

    def noted(place: Place) -> tuple[Service, str]:
        asked.append(place.url)
        return ask(place)

    monkeypatch.setattr(Place, "_service", noted)
    lose_s3()
    with machine(tmp_path, bucket.url).lease() as lease:
        for number in range(5):
            assert lease.find(key_of(number)) is None
            put(lease, work, number)
        (told,) = lease.messages()
    assert asked == [bucket.url], "not for every stage"
    assert "the shared store can't be used, so this run goes on with the local one" in told
    assert "EndpointConnectionError" in told
    assert model_of(Store(tmp_path / "one"), 4) == "model"


def test_no_bucket_and_no_credentials_are_told_with_their_cure(
    bucket: Bucket, work: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with machine(tmp_path, "s3://nobody-has-made-it/x").lease() as lease:
        put(lease, work, OLD)
        (told,) = lease.messages()
    assert "there is no such bucket" in told
    assert "make it, or correct the URL" in told
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    with machine(tmp_path, bucket.url, "two").lease() as lease:
        put(lease, work, OLD)
        (told,) = lease.messages()
    assert "NoCredentialsError" in told
    assert "a profile, a role, or AWS_ACCESS_KEY_ID" in told


def test_a_lease_that_shares_nothing_has_nothing_to_tell(store: Store, work: Path) -> None:
    with store.lease() as lease:
        put(lease, work, OLD)
        assert lease.messages() == []


def test_a_stage_without_files_is_an_entry_like_any_other(
    shared_folder: SharedFolder, work: Path, tmp_path: Path
) -> None:
    folder = stage_folder(work)
    for path in sorted(folder.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    with machine(tmp_path, shared_folder.url).lease() as lease:
        lease.put(KEY, folder, document_of(OLD))
    with machine(tmp_path, shared_folder.url, "two").lease() as lease:
        found = lease.find(KEY)
        assert found is not None
        assert found.files == {}


def test_who_may_only_read_says_so_once_and_goes_on_finding(
    shared_folder: SharedFolder, work: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with machine(tmp_path, shared_folder.url).lease() as lease:
        put(lease, work, OLD)

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Access Denied")

    monkeypatch.setattr(Folder, "upload", refuse)
    with machine(tmp_path, shared_folder.url, "two").lease() as lease:
        put(lease, work, NEW, b"mine")
        put(lease, work, 3, b"mine")
        (told,) = lease.messages()
        assert "the shared store can't be written, so what runs here stays here" in told
        assert "let this machine read, list and write there" in told
        assert lease.find(KEY) is not None
