from __future__ import annotations

import contextlib
import json
import tempfile
import zipfile
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


def _h5(path: Path, version: str = "2.4.0") -> Path:
    with h5py.File(path, "w") as file:
        file.attrs["keras_version"] = version
        file.attrs["model_config"] = json.dumps(_CONFIG)
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
    found = list(keras_file.read(_archive(tmp_path / "a.keras", config=config)).unsafe_parts())
    assert [path for path, _ in found] == ["net/each/bad"]


@pytest.mark.parametrize("name", ["../evil", "/evil", "a/../../evil", "C:/evil"])
def test_a_member_that_points_outside_is_named(tmp_path: Path, name: str) -> None:
    path = _archive(tmp_path / "a.keras")
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(name, "x")
    with pytest.raises(SourceError, match="points outside") as caught:
        keras_file.read(path)
    assert name in caught.value.what


def test_a_zip_bomb_is_refused(tmp_path: Path) -> None:
    path = _archive(tmp_path / "a.keras")
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("model.weights.h5", bytes(40 * 2**20))
    with pytest.raises(SourceError, match="100 times"):
        keras_file.read(path)


@pytest.mark.parametrize("link", [h5py.SoftLink("/weights"), h5py.ExternalLink("other.h5", "/weights")])
def test_links_are_refused(tmp_path: Path, link: Any) -> None:
    path = _h5(tmp_path / "a.h5")
    with h5py.File(path, "a") as file:
        file["link"] = link
    with pytest.raises(SourceError, match="'link' is a"):
        keras_file.read(path)


def test_a_dataset_that_claims_more_than_it_stores_is_refused(tmp_path: Path) -> None:
    path = _h5(tmp_path / "a.h5")
    with h5py.File(path, "a") as file:
        file.create_dataset("huge", shape=(2**40,), dtype="f4", chunks=(1024,))
    with pytest.raises(SourceError, match="'huge' claims"):
        keras_file.read(path)


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
