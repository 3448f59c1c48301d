"""Model files that are built to harm, made of an honest one without any library that would object."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import h5py

Json = dict[str, Any]

LAMBDA: Json = {
    "module": "keras.layers",
    "class_name": "Lambda",
    "config": {"name": "bad", "function": {"class_name": "__lambda__", "config": {"value": "4wEAAAA="}}},
}


def member(sound: Path, name: str) -> bytes:
    with zipfile.ZipFile(sound) as archive:
        return archive.read(name)


def with_members(sound: Path, target: Path, **members: bytes | None) -> Path:
    """A copy of an archive with members replaced or added; names are given with `__` for the dot."""
    changes = {name.replace("__", "."): content for name, content in members.items()}
    with zipfile.ZipFile(sound) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            new.writestr(name, changes.pop(name, None) or old.read(name))
        for name, content in changes.items():
            new.writestr(name, content or b"")
    return target


def with_layer(sound: Path, target: Path, layer: Json, *, loss: bool = False, keras: str = "") -> Path:
    """A copy of a `.keras` file whose last layer, or whose loss, is another object.

    Args:
        sound: the honest file.
        target: the copy.
        layer: the object.
        loss: whether it stands in the place of the loss.
        keras: the version that is said to have written the file; empty for the real one.
    """
    config = json.loads(member(sound, "config.json"))
    if loss:
        config["compile_config"] = {"loss": layer}
    else:
        config["config"]["layers"][-1] |= layer
    metadata = json.loads(member(sound, "metadata.json"))
    metadata["keras_version"] = keras or metadata["keras_version"]
    return with_members(
        sound, target, config__json=json.dumps(config).encode(), metadata__json=json.dumps(metadata).encode()
    )


def h5_with_layer(target: Path, layer: Json) -> Path:
    """An HDF5 file of Keras 2 with one layer and no weights."""
    config = {"class_name": "Sequential", "config": {"name": "net", "layers": [layer]}}
    with h5py.File(target, "w") as file:
        file.attrs["model_config"] = json.dumps(config)
        file.attrs["keras_version"] = "2.15.0"
        file.create_group("model_weights")
    return target
