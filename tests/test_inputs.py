from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recipekit import digests, inputs
from recipekit.errors import PluginError, SourceChanged, SourceError
from recipekit.inputs import Input

LONG_AGO = 1_000_000_000


def write(path: Path, text: str = "content") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    os.utime(path, (LONG_AGO, LONG_AGO))
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("a.bin", "b.bin", "sub/c.bin"):
        write(tmp_path / "model" / name, name)
    return tmp_path / "model"


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets files that were just written count as old."""
    monkeypatch.setattr(inputs, "_SETTLED_NS", -1)


def pin_model(folder: Path) -> Input:
    return inputs.pin("model-source", "model", "model", folder.parent)


def test_a_file_is_pinned_by_its_bytes(tmp_path: Path) -> None:
    write(tmp_path / "m.keras", "weights")

    pinned = inputs.pin("model-source", "model", "m.keras", tmp_path)

    assert (pinned.algorithm, pinned.digest) == ("sha256", digests.of_bytes(b"weights"))
    assert (pinned.path, pinned.files, pinned.bytes) == ("m.keras", 1, 7)


def test_a_folder_is_pinned_by_its_tree(folder: Path) -> None:
    pinned = pin_model(folder)

    assert (pinned.algorithm, pinned.digest) == ("dirHash1", digests.of_tree(folder))
    assert (pinned.files, pinned.bytes) == (3, 19)


def test_an_absolute_path_is_taken_as_it_is(folder: Path, tmp_path: Path) -> None:
    assert inputs.pin("dataset", "d", str(folder), tmp_path / "elsewhere").digest == digests.of_tree(folder)


def test_a_missing_path_is_named_as_written_and_as_resolved(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="does not exist") as caught:
        inputs.pin("model-source", "model", "models/../m.h5", tmp_path)

    assert caught.value.where == f"models/../m.h5 ({tmp_path / 'm.h5'})"


def test_a_pipe_is_refused_without_waiting_for_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")

    with pytest.raises(SourceError, match="neither a file nor a folder"):
        inputs.pin("model-source", "model", "pipe", tmp_path)


def test_a_link_inside_of_a_folder_is_refused(folder: Path) -> None:
    (folder / "link").symlink_to("/etc/passwd")

    with pytest.raises(SourceError) as caught:
        pin_model(folder)

    assert caught.value.where == str(folder / "link")


def test_an_unreadable_file_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path) -> str:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(digests, "of_file", refuse)

    with pytest.raises(SourceError, match="can't be read: Permission denied"):
        pin_model(folder)


def test_an_unchanged_input_passes_without_being_read_again(
    folder: Path, settled: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    pinned = pin_model(folder)
    monkeypatch.setattr(digests, "of_file", lambda path: pytest.fail(f"{path} was read again"))

    inputs.check_unchanged(pinned)


def test_only_files_whose_status_changed_are_read_again(
    folder: Path, settled: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    pinned = pin_model(folder)
    os.utime(folder / "b.bin", (LONG_AGO + 1, LONG_AGO + 1))
    read: list[str] = []
    of_file = digests.of_file

    def recorded(path: Path) -> str:
        read.append(path.name)
        return of_file(path)

    monkeypatch.setattr(digests, "of_file", recorded)

    inputs.check_unchanged(pinned)

    assert read == ["b.bin"]


def test_a_file_younger_than_its_clock_can_tell_is_read_again(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pinned = pin_model(folder)

    assert all(state.signature is None for state in pinned.states)


def change_bytes(folder: Path) -> None:
    write(folder / "b.bin", "B.bin")  # the same size and the same time as before


def add_file(folder: Path) -> None:
    write(folder / "b2.bin")


def remove_file(folder: Path) -> None:
    (folder / "b.bin").unlink()


def rename_file(folder: Path) -> None:
    (folder / "b.bin").rename(folder / "b2.bin")


@pytest.mark.parametrize("change", [change_bytes, add_file, remove_file, rename_file])
def test_every_change_is_found_and_named(folder: Path, settled: None, change: object) -> None:
    pinned = pin_model(folder)
    assert callable(change)
    change(folder)

    with pytest.raises(SourceChanged, match=r"changed: .*b2?\.bin") as caught:
        inputs.check_unchanged(pinned)

    assert f"dirHash1 {pinned.digest} before, {digests.of_tree(folder)} after" in caught.value.what
    assert "sub/c.bin" not in caught.value.what


def test_files_that_were_pinned_before_are_read_once(
    folder: Path, settled: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    known: inputs.States = {}
    first = inputs.pin("model-source", "model", "model", folder.parent, known)
    assert known.keys() == {folder / "a.bin", folder / "b.bin", folder / "sub" / "c.bin"}
    monkeypatch.setattr(digests, "of_file", lambda path: pytest.fail(f"{path} was read again"))
    assert inputs.pin("model-source", "model", "model", folder.parent, known) == first


@pytest.mark.parametrize("change", [change_bytes, add_file, remove_file, rename_file])
def test_what_was_known_of_a_file_is_forgotten_when_it_changes(
    folder: Path, settled: None, change: Callable[[Path], None]
) -> None:
    known: inputs.States = {}
    first = inputs.pin("model-source", "model", "model", folder.parent, known)
    change(folder)
    again = inputs.pin("model-source", "model", "model", folder.parent, known)
    assert again.digest != first.digest
    assert again.digest == pin_model(folder).digest


@pytest.mark.parametrize("change", [change_bytes, add_file, remove_file, rename_file])
def test_the_status_of_a_folder_tells_every_change_without_reading(
    folder: Path, settled: None, monkeypatch: pytest.MonkeyPatch, change: Callable[[Path], None]
) -> None:
    monkeypatch.setattr(digests, "of_file", lambda path: pytest.fail(f"{path} was read"))
    before = inputs.status_digest(folder)
    assert before is not None
    assert inputs.status_digest(folder) == before
    change(folder)
    assert inputs.status_digest(folder) != before


def test_the_status_of_a_young_an_absent_or_an_empty_place_tells_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert inputs.status_digest(folder) is None
    monkeypatch.setattr(inputs, "_SETTLED_NS", -1)
    assert inputs.status_digest(folder) is not None
    assert inputs.status_digest(folder / "absent") is None
    (folder / "empty").mkdir()
    assert inputs.status_digest(folder / "empty") is None


def test_a_link_in_a_dataset_has_the_status_of_its_file(folder: Path, tmp_path: Path, settled: None) -> None:
    outside = write(tmp_path / "outside.bin")
    (folder / "link.bin").symlink_to(outside)
    before = inputs.status_digest(folder)
    assert before is not None
    write(outside, "another")
    assert inputs.status_digest(folder) != before


@pytest.mark.parametrize("replacement", ["nothing", "pipe"])
def test_an_input_that_went_away_has_changed(tmp_path: Path, replacement: str) -> None:
    path = write(tmp_path / "m.keras")
    pinned = inputs.pin("model-source", "model", "m.keras", tmp_path)
    path.unlink()
    if replacement == "pipe":
        os.mkfifo(path)

    with pytest.raises(SourceChanged, match="can't be read any more"):
        inputs.check_unchanged(pinned)


@given(st.binary(max_size=40), st.binary(max_size=40))
def test_a_change_is_found_exactly_if_the_bytes_differ(
    tmp_path_factory: pytest.TempPathFactory, before: bytes, after: bytes
) -> None:
    root = tmp_path_factory.mktemp("root")
    (root / "x").write_bytes(before)
    pinned = inputs.pin("dataset", "x", "x", root)
    (root / "x").write_bytes(after)

    if before == after:
        inputs.check_unchanged(pinned)
    else:
        with pytest.raises(SourceChanged):
            inputs.check_unchanged(pinned)


# --- code ---------------------------------------------------------------------------------------------------------

BOMB = "raise SystemExit('this module was imported')"


@pytest.mark.parametrize("address", ["layers", "layers:Gate", "layers:Gate.make", "layers.py", "layers.py:Gate"])
def test_a_single_module_is_pinned_by_its_file(tmp_path: Path, address: str) -> None:
    write(tmp_path / "layers.py", BOMB)

    pinned = inputs.pin_code("custom-layer", address, tmp_path)

    assert (pinned.algorithm, pinned.digest) == ("sha256", digests.of_bytes(BOMB.encode()))
    assert (pinned.name, pinned.path) == (address, "layers.py")


@pytest.mark.parametrize("address", ["my_pkg", "my_pkg:Gate", "my_pkg.layers", "my_pkg.layers:Gate"])
def test_a_module_of_a_package_is_pinned_by_the_whole_package(tmp_path: Path, address: str) -> None:
    for name in ("__init__", "layers", "sub/maths"):
        write(tmp_path / "my_pkg" / f"{name}.py", BOMB)
    write(tmp_path / "my_pkg" / "notes.txt")

    pinned = inputs.pin_code("custom-layer", address, tmp_path)

    (tmp_path / "my_pkg" / "notes.txt").unlink()
    assert (pinned.algorithm, pinned.digest) == ("dirHash1", digests.of_tree(tmp_path / "my_pkg"))
    assert (pinned.path, pinned.files) == ("my_pkg", 3)


def test_a_change_elsewhere_in_the_package_is_found(tmp_path: Path) -> None:
    write(tmp_path / "my_pkg" / "__init__.py")
    write(tmp_path / "my_pkg" / "maths.py")
    pinned = inputs.pin_code("custom-layer", "my_pkg:Gate", tmp_path)
    write(tmp_path / "my_pkg" / "maths.py", "changed")

    with pytest.raises(SourceChanged, match=r"changed: maths\.py"):
        inputs.check_unchanged(pinned)


@pytest.mark.parametrize("address", ["plugins.frames:Frames", "plugins/frames.py:Frames"])
def test_a_module_in_a_plain_folder_is_pinned_by_its_file(tmp_path: Path, address: str) -> None:
    write(tmp_path / "plugins" / "frames.py", BOMB)

    assert inputs.pin_code("plugin", address, tmp_path).digest == digests.of_bytes(BOMB.encode())


def test_the_project_comes_before_what_is_installed(tmp_path: Path) -> None:
    write(tmp_path / "packaging.py", BOMB)

    assert inputs.pin_code("plugin", "packaging:x", tmp_path).digest == digests.of_bytes(BOMB.encode())


def test_installed_code_is_found_and_not_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "site" / "frames_pkg" / "__init__.py", BOMB)
    write(tmp_path / "site" / "frames_module.py", BOMB)
    monkeypatch.syspath_prepend(tmp_path / "site")

    package = inputs.pin_code("plugin", "frames_pkg.reader:Frames", tmp_path / "project")
    module = inputs.pin_code("plugin", "frames_module:Frames", tmp_path / "project")

    assert package.digest == digests.of_tree(tmp_path / "site" / "frames_pkg")
    assert module.digest == digests.of_bytes(BOMB.encode())
    assert (package.path, module.path) == ("", ""), "a path outside of the project says where somebody lives"
    assert not {"frames_pkg", "frames_module"} & sys.modules.keys()


@pytest.mark.parametrize("address", ["absent", "absent:X", "absent.py", "plain.absent:X", "plain", "sys:exit"])
def test_a_module_without_a_file_is_refused(tmp_path: Path, address: str) -> None:
    write(tmp_path / "plain" / "present.py")

    with pytest.raises(PluginError, match="there is no module"):
        inputs.pin_code("plugin", address, tmp_path)


@pytest.mark.parametrize("address", ["", ":X", "layers:", "a..b:X", "../a:X", "a/b:X", "a b:X"])
def test_what_is_no_address_is_refused(tmp_path: Path, address: str) -> None:
    with pytest.raises(PluginError, match="is not an address"):
        inputs.pin_code("plugin", address, tmp_path)


def test_pinned_code_that_was_removed_has_changed(tmp_path: Path) -> None:
    write(tmp_path / "my_pkg" / "__init__.py")
    pinned = inputs.pin_code("plugin", "my_pkg:X", tmp_path)
    shutil.rmtree(tmp_path / "my_pkg")

    with pytest.raises(SourceChanged):
        inputs.check_unchanged(pinned)
