"""Sources that aren't honest files, through whole runs: paths, archives, HDF5 and flatbuffers."""

from __future__ import annotations

import os
import shutil
import zipfile
from pathlib import Path

import h5py
import pytest

from recipekit import digests
from tests.models.built_flatbuffers import classifier
from tests.models.edits import rewritten
from tests.untrusted.conftest import OTHER_MODEL, Fails
from tests.untrusted.hostile import h5_with_layer, member, with_layer, with_members

pytestmark = pytest.mark.tensorflow

BAD = "source.path=models/bad.keras"
DENSE = {"class_name": "Dense", "config": {"name": "dense", "units": 2}}


@pytest.mark.fault(19)
@pytest.mark.parametrize("kind", ["missing", "pipe", "device", "socket"])
def test_what_is_no_file_is_refused_at_once(project: Path, fails: Fails, kind: str) -> None:
    path = project / "models" / "bad.keras"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "socket":
        os.mknod(path, 0o140600)
    declared = "/dev/zero" if kind == "device" else "models/bad.keras"
    fault = fails(f"source.path={declared}", command=kind == "pipe")
    assert fault.exit == 5
    assert declared in fault.text
    if kind == "missing":
        assert str(path) in fault.text  # as resolved


@pytest.mark.fault(19)
def test_a_file_that_can_not_be_read_is_refused(project: Path, fails: Fails, monkeypatch: pytest.MonkeyPatch) -> None:
    path = project / "models" / "bad.keras"
    shutil.copy(project / "models" / "tiny.keras", path)
    of_file = digests.of_file

    def refuse(file: Path) -> str:  # who runs the tests may be allowed to read everything
        if file == path:
            raise PermissionError(13, "Permission denied", str(file))
        return of_file(file)

    monkeypatch.setattr(digests, "of_file", refuse)
    fault = fails(BAD)
    assert fault.exit == 5
    assert f"models/bad.keras ({path}): can't be read: Permission denied" in fault.text


@pytest.mark.fault(19)
@pytest.mark.parametrize("kind", ["keras", "saved_model", "frozen_graph"])
def test_a_folder_for_a_file_and_a_file_for_a_folder_are_refused(project: Path, fails: Fails, kind: str) -> None:
    (project / "models" / "folder").mkdir()
    (project / "models" / "folder" / "notes.txt").write_text("nothing")
    path = "models/tiny.keras" if kind == "saved_model" else "models/folder"
    more = ["source.inputs={x:[1,8]}", "source.outputs=[y]"] if kind == "frozen_graph" else []
    fault = fails(f"source.kind={kind}", f"source.path={path}", *more, *OTHER_MODEL)
    assert fault.exit == 5
    assert "is not a f" in fault.text or "is a folder, not a Keras file" in fault.text


@pytest.mark.fault(20)
def test_a_link_out_of_the_project_is_refused_with_its_target_unless_that_is_named(project: Path, fails: Fails) -> None:
    outside = project.with_name("elsewhere")
    outside.mkdir()
    shutil.copy(project / "models" / "tiny.keras", outside / "secret.keras")
    (project / "models" / "bad.keras").symlink_to(outside / "secret.keras")
    fault = fails(BAD)
    assert fault.exit == 5
    assert f"is a link out of the project, to {outside / 'secret.keras'}" in fault.text
    with_layer(project / "models" / "tiny.keras", outside / "secret.keras", {"class_name": "Lambda"})
    assert "is a Lambda layer" in fails(f"source.path={outside / 'secret.keras'}").text  # it was read


@pytest.mark.fault(20)
def test_a_link_inside_of_a_folder_is_refused_with_its_target(project: Path, fails: Fails) -> None:
    folder = project / "models" / "folder"
    folder.mkdir()
    (folder / "saved_model.pb").symlink_to("/etc/passwd")
    fault = fails("source.kind=saved_model", "source.path=models/folder", *OTHER_MODEL)
    assert fault.exit == 5
    assert "a link to '/etc/passwd'" in fault.text


@pytest.mark.fault(21)
@pytest.mark.parametrize(
    ("kind", "name", "title"),
    [("keras", "bad.keras", "Keras file"), ("keras", "bad.h5", "Keras file"), ("tflite", "bad.tflite", ".tflite")],
)
def test_a_file_cut_short_is_not_readable(project: Path, fails: Fails, kind: str, name: str, title: str) -> None:
    path = project / "models" / name
    if kind == "tflite":
        path.write_bytes(classifier()[:3000])
    elif name.endswith("h5"):
        path.write_bytes(h5_with_layer(path, DENSE).read_bytes()[:900])
    else:
        path.write_bytes((project / "models" / "tiny.keras").read_bytes()[:3000])
    engine = ["converter=ai_edge_int8"] if kind == "tflite" else []
    fault = fails(f"source.kind={kind}", f"source.path=models/{name}", *OTHER_MODEL, *engine, command=name == "bad.h5")
    assert fault.exit == 5
    assert f"is not a readable {title}" in fault.text


@pytest.mark.fault(22)
def test_a_zip_bomb_is_refused_by_the_command_in_time(project: Path, fails: Fails) -> None:
    path = project / "models" / "bad.keras"
    shutil.copy(project / "models" / "tiny.keras", path)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("assets/bomb", bytes(200 * 2**20))
    fault = fails(BAD, command=True)
    assert fault.exit == 5
    assert "'assets/bomb' unpacks" in fault.text
    assert "more than 100 times" in fault.text


@pytest.mark.fault(23)
@pytest.mark.parametrize("name", ["../../evil", "/evil"])
def test_a_member_that_points_outside_writes_nothing(project: Path, fails: Fails, name: str) -> None:
    with_members(project / "models" / "tiny.keras", project / "models" / "bad.keras", **{name: b"evil"})
    fault = fails(BAD)
    assert fault.exit == 5
    assert f"the member '{name}' points outside" in fault.text


@pytest.mark.fault(26)
@pytest.mark.parametrize("allowed", [False, True])
def test_a_shape_bomb_in_the_weights_is_refused_even_where_code_is_allowed(
    project: Path, fails: Fails, allowed: bool
) -> None:
    weights = project / "weights.h5"
    weights.write_bytes(member(project / "models" / "tiny.keras", "model.weights.h5"))
    with h5py.File(weights, "a") as file:
        file.create_dataset("bomb", (2**40,), "f4", chunks=(1024,))
    with_members(
        project / "models" / "tiny.keras", project / "models" / "bad.keras", model__weights__h5=weights.read_bytes()
    )
    fault = fails(BAD, f"source.allow_unsafe={str(allowed).lower()}")
    assert fault.exit == 5
    assert "'bomb' of the member 'model.weights.h5' claims 4398046511104 bytes but stores 0" in fault.text


@pytest.mark.fault(36)
@pytest.mark.parametrize("harm", ["header", "dimensions"])
def test_a_flatbuffer_that_kills_its_readers_is_refused_as_a_source(project: Path, fails: Fails, harm: str) -> None:
    def grow(made: object) -> None:
        made.subgraphs[0].tensors[0].shape = [2**31 - 1, 2**31 - 1]  # type: ignore[attr-defined]

    path = project / "models" / "bad.tflite"
    path.write_bytes(b"\x18\x00\x00\x00TFL3" if harm == "header" else classifier())
    if harm == "dimensions":
        rewritten(path, path, grow)
    fault = fails(
        "source.kind=tflite", "source.path=models/bad.tflite", *OTHER_MODEL, "converter=ai_edge_int8", command=True
    )
    assert fault.exit == 5
    assert "is not a readable .tflite" in fault.text
