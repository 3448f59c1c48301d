from __future__ import annotations

import errno
import itertools
import os
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recipekit import fsio
from recipekit.errors import InternalError, InvalidRecipe, OutputAltered, OutputFault
from recipekit.outputs import Outputs
from tests.properties import at_most
from tests.small_builds import key_of_seed, write_output

HOLDER = """
import sys
from pathlib import Path
from recipekit.outputs import Outputs
with Outputs(Path(sys.argv[1])).hold("key", print):
    print("held", flush=True)
    sys.stdin.read()
"""

OLD, NEW, OTHER = 1, 2, 3
PROJECT = Path(__file__).parents[1]


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Doesn't wait for the disk, which would take most of the time."""
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "outputs"


@pytest.fixture
def outputs(root: Path) -> Outputs:
    return Outputs(root)


def publish(
    outputs: Outputs,
    seed: int = OLD,
    model: bytes = b"old",
    verdict: str = "accepted",
    replace: bool = False,
    age: int = 0,
) -> Path:
    with outputs.stage() as staged:
        write_output(staged, seed, model, verdict, age)
        return outputs.publish(staged, "digits", "1.0.0", key_of_seed(seed), replace=replace)


def find(outputs: Outputs, seed: int = OLD) -> str | None:
    return outputs.find("digits", "1.0.0", key_of_seed(seed))


def latest(root: Path) -> Path | None:
    link = root / "digits" / "latest"
    assert not link.is_symlink() or link.is_dir(), "latest leads nowhere"
    return link.resolve() if link.is_symlink() else None


def visible(root: Path) -> dict[str, bytes]:
    """Everything that users see, by its path: bytes of files, targets of links."""
    found = {}
    for path in root.rglob("*"):
        name = path.relative_to(root).as_posix()
        if not name.startswith("."):
            found[name] = (
                os.fsencode(path.readlink()) if path.is_symlink() else b"" if path.is_dir() else path.read_bytes()
            )
    return found


def staged_entries(root: Path) -> list[str]:
    return sorted(path.name for path in (root / ".staging").iterdir() if path.name != "root.lock")


# --- publishing ---------------------------------------------------------------------------------------------------


def test_a_published_output_lies_below_its_name_version_and_key(outputs: Outputs, root: Path) -> None:
    folder = publish(outputs)

    assert folder == root / "digits" / "1.0.0" / key_of_seed(OLD)[:12]
    assert (folder / "model.tflite").read_bytes() == b"old"
    assert staged_entries(root) == []


@pytest.mark.parametrize("verdict", ["accepted", "rejected", "not-judged"])
def test_an_output_is_found_with_its_verdict(outputs: Outputs, verdict: str) -> None:
    assert find(outputs) is None
    publish(outputs, verdict=verdict)

    assert find(outputs) == verdict
    assert find(outputs, NEW) is None


def test_latest_is_the_newest_accepted_output(outputs: Outputs, root: Path) -> None:
    publish(outputs, OLD, verdict="rejected")
    assert latest(root) is None
    accepted = publish(outputs, NEW)
    assert latest(root) == accepted
    publish(outputs, OTHER, verdict="not-judged")
    assert latest(root) == accepted


def test_latest_stays_valid_when_the_outputs_folder_moves(outputs: Outputs, root: Path) -> None:
    publish(outputs)
    moved = root.rename(root.with_name("moved"))

    assert latest(moved) is not None


def test_an_output_is_never_replaced_unasked(outputs: Outputs, root: Path) -> None:
    publish(outputs)
    before = visible(root)

    with pytest.raises(OutputFault, match="is there already"):
        publish(outputs, model=b"new")

    assert visible(root) == before


def test_an_empty_folder_in_its_place_is_not_replaced_either(outputs: Outputs) -> None:
    folder = outputs.folder("digits", "1.0.0", key_of_seed(OLD))
    folder.mkdir(parents=True)

    with pytest.raises(OutputFault, match="is there already"):
        publish(outputs)


def test_a_rebuilt_output_takes_the_place_of_the_old_one(outputs: Outputs, root: Path) -> None:
    folder = publish(outputs)
    (folder / "model.tflite").write_bytes(b"spoiled")

    assert publish(outputs, model=b"new", replace=True) == folder
    assert (folder / "model.tflite").read_bytes() == b"new"
    assert find(outputs) == "accepted"
    assert latest(root) == folder
    assert staged_entries(root) == []


def test_a_rejected_rebuild_hands_latest_back_to_the_newest_accepted_output(outputs: Outputs, root: Path) -> None:
    publish(outputs, OTHER, age=20)
    second = publish(outputs, NEW, age=10)
    publish(outputs, OLD)

    publish(outputs, OLD, verdict="rejected", replace=True)

    assert latest(root) == second


def test_a_rejected_rebuild_of_the_only_output_leaves_no_latest(outputs: Outputs, root: Path) -> None:
    publish(outputs)
    publish(outputs, verdict="rejected", replace=True)

    assert latest(root) is None


def test_a_staged_folder_that_differs_from_its_manifest_is_not_published(outputs: Outputs, root: Path) -> None:
    with outputs.stage() as staged:
        write_output(staged, OLD)
        (staged / "extra").write_text("")
        with pytest.raises(InternalError, match="extra: is not in the manifest"):
            outputs.publish(staged, "digits", "1.0.0", key_of_seed(OLD))

    assert find(outputs) is None


def test_a_staged_folder_of_another_build_is_not_published(outputs: Outputs) -> None:
    with outputs.stage() as staged:
        write_output(staged, NEW)
        with pytest.raises(InternalError, match="build key: expected"):
            outputs.publish(staged, "digits", "1.0.0", key_of_seed(OLD))


def test_what_is_not_published_leaves_nothing(outputs: Outputs, root: Path) -> None:
    def fail() -> None:
        with outputs.stage() as staged:
            (staged / "half").write_text("written")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()

    assert staged_entries(root) == []
    assert visible(root) == {}


@pytest.mark.parametrize("part", ["", ".", "..", "a/b", "/a", ".staging", "sweeps", "latest", "a\x00b", "a\n"])
def test_names_that_lead_elsewhere_are_refused(outputs: Outputs, part: str) -> None:
    with pytest.raises(InvalidRecipe, match="can't name an outputs folder"):
        outputs.folder(part, "1.0.0", key_of_seed(OLD))
    with pytest.raises(InvalidRecipe):
        outputs.folder("digits", part, key_of_seed(OLD))


# --- what is there isn't trusted ----------------------------------------------------------------------------------


def flip_a_byte(folder: Path) -> None:
    (folder / "model.tflite").write_bytes(b"olD")


def grow(folder: Path) -> None:
    (folder / "logs" / "run.log").write_text("more than there was\n")


def remove(folder: Path) -> None:
    (folder / "model.tflite").unlink()


def rename(folder: Path) -> None:
    (folder / "model.tflite").rename(folder / "model2.tflite")


def add_git(folder: Path) -> None:
    (folder / ".git").mkdir()
    (folder / ".git" / "x").write_text("")


def add_gitignore(folder: Path) -> None:
    (folder / ".gitignore").write_text("")


def add_link(folder: Path) -> None:
    (folder / "link").symlink_to("logs")


def link_to_the_same_bytes(folder: Path) -> None:
    (folder / "model.tflite").rename(folder.parents[2] / "elsewhere")
    (folder / "model.tflite").symlink_to(folder.parents[2] / "elsewhere")


def remove_manifest(folder: Path) -> None:
    (folder / "manifest.json").unlink()


def edit_manifest(folder: Path) -> None:
    path = folder / "manifest.json"
    path.write_text(path.read_text().replace('"seed": 1', '"seed": 2'))


def swap_in_another_build(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.mkdir()
    write_output(folder, OTHER)


@pytest.mark.parametrize(
    ("alter", "named"),
    [
        (flip_a_byte, "model.tflite: expected sha256"),
        (grow, "logs/run.log: expected 10 bytes, got 20"),
        (remove, "model.tflite: is missing"),
        (rename, "model2.tflite: is not in the manifest"),
        (add_git, ".git/x: is not in the manifest"),
        (add_gitignore, ".gitignore: is not in the manifest"),
        (add_link, "link: is not in the manifest"),
        (link_to_the_same_bytes, "model.tflite: is not a regular file"),
        (remove_manifest, "has no manifest.json"),
        (edit_manifest, "is not a valid manifest"),
        (swap_in_another_build, "build key: expected"),
    ],
)
def test_an_altered_output_is_named_and_not_trusted(
    outputs: Outputs, alter: Callable[[Path], None], named: str
) -> None:
    folder = publish(outputs)
    alter(folder)

    with pytest.raises(OutputAltered) as caught:
        find(outputs)

    assert named in caught.value.what
    assert "--rebuild" in caught.value.fix
    assert caught.value.exit_code == 6


def empty(folder: Path) -> None:
    folder.mkdir(parents=True)


def file(folder: Path) -> None:
    folder.parent.mkdir(parents=True)
    folder.write_text("")


def link(folder: Path) -> None:
    folder.parent.mkdir(parents=True)
    folder.symlink_to("nowhere")


@pytest.mark.parametrize("put", [empty, file, link])
def test_what_is_no_output_folder_is_a_fault(outputs: Outputs, put: Callable[[Path], None]) -> None:
    folder = outputs.folder("digits", "1.0.0", key_of_seed(OLD))
    put(folder)

    with pytest.raises(OutputFault) as caught:
        find(outputs)

    assert caught.value.exit_code == 7
    assert caught.value.where == str(folder)


@settings(max_examples=at_most(30))
@given(st.data())
def test_any_changed_byte_is_noticed(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    outputs = Outputs(tmp_path_factory.mktemp("outputs"))
    folder = publish(outputs)
    path = folder / data.draw(st.sampled_from(["model.tflite", "results.json", "logs/run.log"]))
    content = bytearray(path.read_bytes())
    content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    path.write_bytes(content)

    with pytest.raises(OutputAltered):
        find(outputs)


# --- a disk that refuses ------------------------------------------------------------------------------------------


def failing_calls(monkeypatch: pytest.MonkeyPatch, code: int, number: int) -> list[str]:
    """Lets the n-th change that goes through `fsio` fail, and lists the changes."""
    calls: list[str] = []
    counting = threading.Lock()
    for name in ("sync", "rename", "replace_link", "make_folders", "remove_file", "remove_tree"):
        original = getattr(fsio, name)

        def call(*arguments: object, name: str = name, original: Callable[..., None] = original) -> None:
            with counting:  # several threads sync
                calls.append(name)
                mine = len(calls)
            if mine == number:
                raise OSError(code, os.strerror(code))
            original(*arguments)

        monkeypatch.setattr(fsio, name, call)
    return calls


@pytest.mark.slow
@pytest.mark.parametrize(("seed", "verdict"), [(NEW, "accepted"), (OLD, "accepted"), (OLD, "rejected")])
def test_a_step_that_fails_leaves_all_or_nothing(tmp_path: Path, seed: int, verdict: str) -> None:
    start = tmp_path / "start"
    publish(Outputs(start), OTHER, age=10)
    publish(Outputs(start), OLD)
    before = visible(start)
    shutil.copytree(start, tmp_path / "after", symlinks=True)
    publish(Outputs(tmp_path / "after"), seed, b"new", verdict, replace=True)
    after = visible(tmp_path / "after")
    seen = []

    for number in itertools.count(1):
        root = shutil.copytree(start, tmp_path / str(number), symlinks=True)
        with pytest.MonkeyPatch.context() as patch, suppress(OutputFault):
            calls = failing_calls(patch, errno.EIO, number)
            publish(Outputs(root), seed, b"new", verdict, replace=True)
        now = visible(root)
        assert now in (before, after), f"call {number}, {calls[-1]}"
        with Outputs(root).hold(key_of_seed(seed), print):
            assert staged_entries(root) == []
        assert visible(root) == now
        seen.append(now == after)
        if len(calls) < number:
            break

    assert seen == sorted(seen), "nothing up to a call, all from then on"
    assert seen.count(False) > 10


def test_a_full_disk_says_what_was_needed(outputs: Outputs, monkeypatch: pytest.MonkeyPatch) -> None:
    failing_calls(monkeypatch, errno.ENOSPC, 4)

    with pytest.raises(OutputFault, match=r"bytes needed, [\d,]+ free"):
        publish(outputs)


def test_space_is_looked_at_before_anything_is_written(outputs: Outputs, root: Path) -> None:
    with (
        pytest.raises(OutputFault, match="too little space: 1,000,000,000,000,000 bytes needed"),
        outputs.stage(10**15),
    ):
        pass

    assert not root.exists()


def test_an_error_while_the_output_is_written_is_a_fault(outputs: Outputs) -> None:
    with pytest.raises(OutputFault, match="Disk quota exceeded"), outputs.stage():
        raise OSError(errno.EDQUOT, os.strerror(errno.EDQUOT))


def test_a_root_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(OutputFault) as caught, Outputs(tmp_path / "file" / "outputs").stage():
        pass

    assert str(tmp_path / "file") in caught.value.where


# --- a process that dies ------------------------------------------------------------------------------------------


def killed_runs(base: Path, seed: int, verdict: str, mode: str) -> Iterator[Path]:
    publish(Outputs(base / "start"), OTHER, age=10)
    publish(Outputs(base / "start"), OLD)
    command = [sys.executable, "-m", "tests.publish_until_killed", str(base), str(seed), verdict, mode]
    subprocess.run(command, check=True, cwd=PROJECT)
    for number in range(1, len(list(base.iterdir()))):
        yield base / str(number)


@pytest.mark.slow
def test_a_process_killed_at_any_step_leaves_all_or_nothing(tmp_path: Path) -> None:
    before = None
    states = []
    for root in killed_runs(tmp_path, NEW, "accepted", "fresh"):
        before = before or visible(tmp_path / "start")
        now = visible(root)
        outputs = Outputs(root)
        assert {name: now.get(name) for name in before if name != "digits/latest"} == {
            name: content for name, content in before.items() if name != "digits/latest"
        }, "what was there is as it was"
        there = find(outputs, NEW)
        assert latest(root) in {outputs.folder("digits", "1.0.0", key_of_seed(seed)) for seed in (OLD, NEW)}
        with outputs.hold(key_of_seed(NEW), print):
            assert staged_entries(root) == []
            assert find(outputs, NEW) == there
            if there is None:
                assert visible(root) == before
                publish(outputs, NEW, b"new")
        assert latest(root) == outputs.folder("digits", "1.0.0", key_of_seed(NEW)), "finished where it was visible"
        states.append(there)

    assert states == sorted(states, key=str), "None for a while, then accepted for good"
    assert states.count(None) > 10
    assert states.count("accepted") > 3


@pytest.mark.parametrize("verdict", ["accepted", "rejected"])
@pytest.mark.slow
def test_a_process_killed_while_it_replaces_leaves_the_old_output_or_the_new_one(tmp_path: Path, verdict: str) -> None:
    models = []
    for root in killed_runs(tmp_path, OLD, verdict, "replace"):
        outputs = Outputs(root)
        assert find(outputs, OTHER) == "accepted"
        with outputs.hold(key_of_seed(OLD), print):
            found = find(outputs)
            model = (outputs.folder("digits", "1.0.0", key_of_seed(OLD)) / "model.tflite").read_bytes()
            assert (model, found) in {(b"old", "accepted"), (b"new", verdict)}
            assert staged_entries(root) == []
            newest = latest(root)
            assert newest is not None
            assert found == "accepted" or newest == outputs.folder("digits", "1.0.0", key_of_seed(OTHER))
            publish(outputs, OLD, b"again", replace=True)
        assert latest(root) == outputs.folder("digits", "1.0.0", key_of_seed(OLD))
        models.append(model)

    assert set(models) == {b"old", b"new"}
    assert models == sorted(models, reverse=True), "the old one for a while, then the new one"


def test_the_area_of_a_living_process_is_left_alone(outputs: Outputs, root: Path) -> None:
    with outputs.stage() as staged:
        (staged / "half").write_text("written")
        subprocess.run([sys.executable, "-c", HOLDER, str(root)], check=True, stdin=subprocess.DEVNULL)

        assert (staged / "half").read_text() == "written"


# --- two at a time ------------------------------------------------------------------------------------------------


@pytest.fixture
def holder(root: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the build key `key` until its input ends."""
    command = [sys.executable, "-c", HOLDER, str(root)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_who_waits_is_told_for_which_process_on_which_host(outputs: Outputs, holder: subprocess.Popen[str]) -> None:
    messages: list[str] = []

    def told(message: str) -> None:
        messages.append(message)
        assert holder.stdin is not None
        holder.stdin.close()

    with outputs.hold("key", told):
        pass

    assert messages == [f"process {holder.pid} on {socket.gethostname()} builds the same output; waiting for it"]


def test_waiting_has_an_end(outputs: Outputs, holder: subprocess.Popen[str]) -> None:
    message = f"process {holder.pid} on .* still builds the same output after 0.1 seconds"

    with pytest.raises(OutputFault, match=message), outputs.hold("key", print, timeout_seconds=0.1):
        pass


def test_other_build_keys_do_not_wait(outputs: Outputs, holder: subprocess.Popen[str]) -> None:
    with outputs.hold("another key", pytest.fail):
        pass


def test_the_lock_of_a_killed_process_is_free(outputs: Outputs, holder: subprocess.Popen[str]) -> None:
    holder.kill()
    holder.wait()

    with outputs.hold("key", pytest.fail):
        pass


def test_of_two_builds_of_one_key_the_second_finds_what_the_first_made(root: Path) -> None:
    key = key_of_seed(OLD)
    found: list[str | None] = []

    def build() -> None:
        outputs = Outputs(root)
        with outputs.hold(key, lambda message: None):
            found.append(find(outputs))
            if found[-1] is None:
                publish(outputs)

    threads = [threading.Thread(target=build) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert found == [None, "accepted", "accepted", "accepted"]


def test_a_version_is_known_once_something_was_published_of_it(outputs: Outputs) -> None:
    assert not outputs.has("digits", "1.0.0")
    publish(outputs)
    assert outputs.has("digits", "1.0.0")
    assert not outputs.has("digits", "1.0.1")
