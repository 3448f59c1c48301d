from __future__ import annotations

import contextlib
import io
import json
import stat
import subprocess
import sys
import tempfile
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recipekit.errors import SourceError
from recipekit.worker import keras_file

_CONFIG = {"class_name": "Sequential", "config": {"name": "net", "layers": []}}


def _archive(path: Path, version: str = "3.15.1", config: dict[str, Any] = _CONFIG) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", json.dumps(config))
        archive.writestr("metadata.json", json.dumps({"keras_version": version}))
    return path


def _h5(path: Path, version: str = "2.4.0", config: dict[str, Any] = _CONFIG) -> Path:
    with h5py.File(path, "w") as file:
        file.attrs["keras_version"] = version
        file.attrs["model_config"] = json.dumps(config)
        file["weights"] = np.arange(4)
    return path


def test_the_version_tells_which_keras_wrote_the_file(tmp_path: Path) -> None:
    assert not keras_file.read(_archive(tmp_path / "a.keras")).legacy
    assert not keras_file.read(_h5(tmp_path / "b.h5", "3.9.0")).legacy
    assert keras_file.read(_h5(tmp_path / "c.h5", "2.4.0")).legacy
    assert keras_file.read(_h5(tmp_path / "d.h5", "")).legacy


@pytest.mark.parametrize("class_name", ["Lambda", "TFSMLayer", "TorchModuleWrapper", "keras>Lambda"])
def test_code_is_found_inside_wrappers(tmp_path: Path, class_name: str) -> None:
    inner = {"class_name": class_name, "config": {"name": "bad"}}
    wrapper = {"class_name": "TimeDistributed", "config": {"name": "each", "layer": inner}}
    config = {"class_name": "Sequential", "config": {"name": "net", "layers": [wrapper]}}
    found = keras_file.read(_archive(tmp_path / "a.keras", config=config)).findings(())
    assert [finding.path for finding in found] == ["net/each/bad"]


def _with_member(
    path: Path,
    name: str | zipfile.ZipInfo,
    content: bytes,
    method: int = zipfile.ZIP_STORED,
    level: int | None = None,
) -> Path:
    with warnings.catch_warnings(), zipfile.ZipFile(path, "a", method, compresslevel=level) as archive:
        warnings.simplefilter("ignore")  # a name may be there twice
        archive.writestr(name, content)
    return path


def _refused(path: Path) -> str:
    with pytest.raises(SourceError) as caught:
        keras_file.read(path)
    assert caught.value.where == str(path)
    return caught.value.what


@pytest.mark.parametrize("name", ["../evil", "/evil", "a/../../evil", "C:/evil", "..\\evil"])
def test_a_member_that_points_outside_is_named(tmp_path: Path, name: str) -> None:
    what = _refused(_with_member(_archive(tmp_path / "a.keras"), name, b"x"))
    assert "points outside" in what
    assert name in what


@pytest.mark.parametrize("name", ["config.json", "./config.json", "config.json/"])
def test_a_member_that_hides_another_is_named(tmp_path: Path, name: str) -> None:
    what = _refused(_with_member(_archive(tmp_path / "a.keras"), name, b""))
    assert f"the member '{name}' is there twice" in what


def test_a_member_that_is_a_link_is_named(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("assets/vocabulary.txt")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    what = _refused(_with_member(_archive(tmp_path / "a.keras"), link, b"/etc/passwd"))
    assert "'assets/vocabulary.txt' is a link or a device" in what


def test_a_zip_bomb_is_refused(tmp_path: Path) -> None:
    path = _archive(tmp_path / "a.keras")
    what = _refused(_with_member(path, "model.weights.h5", bytes(40 * 2**20), zipfile.ZIP_DEFLATED, 1))
    assert "'model.weights.h5' unpacks" in what
    assert "more than 100 times" in what


def test_a_bomb_of_many_small_members_is_refused(tmp_path: Path) -> None:
    path = _archive(tmp_path / "a.keras")
    for number in range(3):
        _with_member(path, f"assets/{number}", bytes(20 * 2**20), zipfile.ZIP_DEFLATED, 1)
    assert "its members unpack" in _refused(path)


def test_a_bomb_inside_of_the_weights_is_refused(tmp_path: Path) -> None:
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("a.npy", bytes(40 * 2**20))
    path = _with_member(_archive(tmp_path / "a.keras"), "model.weights.npz", inner.getvalue())
    assert "'a.npy' unpacks" in _refused(path)


def test_an_array_that_claims_more_than_it_stores_is_refused(tmp_path: Path) -> None:
    header, inner = io.BytesIO(), io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f4", "fortran_order": False, "shape": (2**40,)})
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr("a.npy", header.getvalue())
    path = _with_member(_archive(tmp_path / "a.keras"), "model.weights.npz", inner.getvalue())
    assert "'a.npy' claims the shape (1099511627776,)" in _refused(path)


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_methods_that_unpack_without_a_limit_are_refused(tmp_path: Path, method: int) -> None:
    assert "compressed in a way" in _refused(_with_member(_archive(tmp_path / "a.keras"), "x", b"x", method))


def test_a_directory_that_lies_about_a_member_is_found_while_it_is_read(tmp_path: Path) -> None:
    path = _archive(tmp_path / "a.keras", config={**_CONFIG, "padding": "x" * 1000})
    content = bytearray(path.read_bytes())
    entry = content.index(b"PK\x01\x02")
    content[entry + 24 : entry + 28] = (50).to_bytes(4, "little")  # the size that config.json unpacks to
    content[entry + 20 : entry + 24] = (50).to_bytes(4, "little")
    path.write_bytes(content)
    assert "is not a readable Keras file" in _refused(path)


@pytest.mark.slow
def test_a_bomb_costs_no_memory(tmp_path: Path) -> None:
    path = _archive(tmp_path / "a.keras")
    _with_member(path, "model.weights.h5", bytes(200 * 2**20), zipfile.ZIP_DEFLATED)
    assert path.stat().st_size < 250_000
    assert _peak_growth(path, "refused") < 20


@pytest.mark.slow
@pytest.mark.parametrize("archive", [True, False])
def test_a_large_honest_file_passes_and_is_not_held_in_memory(tmp_path: Path, archive: bool) -> None:
    path = _h5(tmp_path / "a.h5")
    with h5py.File(path, "a") as file:
        for number in range(4):
            create = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
            create.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
            create.set_fill_time(h5py.h5d.FILL_TIME_NEVER)
            space = h5py.h5s.create_simple((100 * 2**20 // 4,))
            h5py.h5d.create(file.id, f"layer {number}".encode(), h5py.h5t.IEEE_F32LE, space, create)
    assert path.stat().st_size > 400 * 2**20
    if archive:
        weights, path = path, _archive(tmp_path / "a.keras")
        with zipfile.ZipFile(path, "a") as made:
            made.write(weights, "model.weights.h5")
    assert _peak_growth(path, "read") < 20


def _peak_growth(path: Path, outcome: str) -> float:
    """By how many MiB the peak of a process's memory grows when it reads a file."""
    code = (
        "import resource, sys; from pathlib import Path; from recipekit.errors import SourceError\n"
        "from recipekit.worker import keras_file\n"
        "peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024\n"
        "before, outcome = peak(), 'read'\n"
        "try: keras_file.read(Path(sys.argv[1]))\n"
        "except SourceError: outcome = 'refused'\n"
        "print(outcome, peak() - before)"
    )
    child = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
    told, growth = child.stdout.split()
    assert told == outcome
    return float(growth)


def _virtual(file: h5py.File) -> None:
    layout = h5py.VirtualLayout(shape=(4,), dtype="f4")
    layout[:] = h5py.VirtualSource("/etc/hostname", "x", shape=(4,), dtype="f4")
    file.create_virtual_dataset("bad", layout)


HDF5_FAULTS: dict[str, tuple[Callable[[h5py.File], object], str]] = {
    "soft link": (lambda file: file.update({"bad": h5py.SoftLink("/weights")}), "'bad'{} is a SoftLink"),
    "external link": (lambda file: file.update({"bad": h5py.ExternalLink("o.h5", "/w")}), "'bad'{} is a ExternalLink"),
    "link below": (lambda file: file.create_group("g").update({"bad": h5py.SoftLink("/")}), "'g/bad'{} is a SoftLink"),
    "external storage": (
        lambda file: file.create_dataset("bad", (4,), "f4", external=[("/etc/hostname", 0, 16)]),
        "dataset 'bad'{} keeps its values in other files",
    ),
    "virtual dataset": (_virtual, "dataset 'bad'{} keeps its values in other files"),
    "shape bomb": (
        lambda file: file.create_dataset("bad", (2**40,), "f4", chunks=(1024,)),
        "dataset 'bad'{} claims 4398046511104 bytes but stores 0",
    ),
    "compressed bomb": (
        lambda file: file.create_dataset("bad", data=np.zeros(2**24, "f4"), compression="gzip", compression_opts=1),
        "dataset 'bad'{} claims 67108864 bytes but stores",
    ),
    "many small bombs": (
        lambda file: [file.create_dataset(f"b{each}", (2**22,), "f4", chunks=(1024,)) for each in range(4)],
        "its datasets{} claim 67108",
    ),
}


@pytest.mark.parametrize("method", [None, zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize(("spoil", "says"), HDF5_FAULTS.values(), ids=list(HDF5_FAULTS))
def test_hdf5_that_reaches_out_or_claims_too_much_is_refused_in_a_file_and_in_an_archive(
    tmp_path: Path, spoil: Callable[[h5py.File], object], says: str, method: int | None
) -> None:
    path, place = _h5(tmp_path / "a.h5"), ""
    with h5py.File(path, "a") as file:
        spoil(file)
    if method is not None:
        path = _with_member(_archive(tmp_path / "a.keras"), "model.weights.h5", path.read_bytes(), method)
        place = " of the member 'model.weights.h5'"
    assert says.format(place) in _refused(path)


def test_a_file_that_two_readers_take_for_different_things_is_refused(tmp_path: Path) -> None:
    both = tmp_path / "both.h5"
    both.write_bytes(_h5(tmp_path / "a.h5").read_bytes() + _archive(tmp_path / "b.keras").read_bytes())
    assert "a zip archive and HDF5 at once" in _refused(both)


@pytest.mark.parametrize("make", [_archive, _h5])
def test_a_layer_name_that_points_outside_is_refused(tmp_path: Path, make: Any) -> None:
    config = {"class_name": "Sequential", "config": {"name": "net", "layers": [{"config": {"name": "../../evil"}}]}}
    path = make(tmp_path / "model", config=config)
    assert "a layer is named '../../evil', which points outside" in _refused(path)


def test_weights_without_a_model_are_not_enough(tmp_path: Path) -> None:
    path = _h5(tmp_path / "a.h5")
    with h5py.File(path, "a") as file:
        del file.attrs["model_config"]
    with pytest.raises(SourceError, match="weights but no model"):
        keras_file.read(path)


def test_what_is_no_file_says_so(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="is a folder"):
        keras_file.read(tmp_path)
    with pytest.raises(SourceError, match="there is no such file"):
        keras_file.read(tmp_path / "nothing.keras")
    (tmp_path / "saved_model.pb").touch()
    with pytest.raises(SourceError, match="SavedModel"):
        keras_file.read(tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("make", [_archive, _h5])
@given(data=st.data())
def test_any_damage_is_a_source_error_or_harmless(make: Any, data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = make(Path(folder) / "model")
        content = bytearray(path.read_bytes())
        for place in data.draw(st.lists(st.integers(0, len(content) - 1), max_size=8)):
            content[place] = data.draw(st.integers(0, 255))
        path.write_bytes(content[: data.draw(st.integers(0, len(content)))])
        with contextlib.suppress(SourceError):
            assert keras_file.read(path).format in ("keras", "h5")
