"""What a Keras file says about itself, read without running anything that it holds.

Which Keras wrote it, its configuration tree, the classes named there, and whether it is a file that is safe to open.
It imports neither TensorFlow nor Keras.
"""

from __future__ import annotations

import json
import math
import zipfile
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import h5py
import numpy as np

from recipekit.errors import SourceError
from recipekit.worker.confinement import no_endless_reading
from recipekit.worker.guarded_archive import check_members, expands_too_far, read_member, seekable, suspicious
from recipekit.worker.guarded_hdf5 import check_hdf5
from recipekit.worker.keras_scan import Finding, escaping_names, scan

_WEIGHTS = "model.weights"


@dataclass(frozen=True)
class KerasFile:
    """A Keras file as it describes itself.

    Attributes:
        path: the file.
        format: `keras` for the zip archive of Keras 3 and late Keras 2, `h5` for HDF5.
        keras_version: version of the Keras that wrote it; empty where old files don't say.
        config: the model's configuration.
        compile_config: losses, metrics and optimizer; empty where there is none.
    """

    path: Path
    format: str
    keras_version: str
    config: dict[str, Any]
    compile_config: dict[str, Any]

    @property
    def legacy(self) -> bool:
        """Whether Keras 2 or older wrote it."""
        major = self.keras_version.partition(".")[0]
        return not major.isdigit() or int(major) < 3

    def findings(self, registered: Collection[str]) -> tuple[Finding, ...]:
        """What in the file is more than a description, as far as a loader would look at it.

        Args:
            registered: names of the classes and functions that the project registers.
        """
        # Models are loaded without what they were compiled with, so a loss that nobody knows is no hindrance there.
        compiled = (finding for finding in scan(self.compile_config, registered, "compile_config") if finding.runs)
        return (*scan(self.config, registered), *compiled)

    def class_names(self) -> set[str]:
        """Every class that the model's configuration names, without a package in front of it."""
        return {str(node["class_name"]).rpartition(">")[2] for node in self._objects()}

    def configs_of(self, class_name: str) -> Iterator[dict[str, Any]]:
        """The configuration of every object of a class, whose name is given without a package in front of it."""
        for node in self._objects():
            if str(node["class_name"]).rpartition(">")[2] == class_name:
                config = node.get("config")
                yield config if isinstance(config, dict) else {}

    def _objects(self) -> Iterator[dict[str, Any]]:
        pending: list[Any] = [self.config]
        while pending:
            node = pending.pop()
            if isinstance(node, dict) and isinstance(node.get("class_name"), str):
                yield node
            pending.extend(node.values() if isinstance(node, dict) else node if isinstance(node, list) else ())


def read(path: Path) -> KerasFile:
    """Reads the description of a `.keras` or HDF5 file.

    Raises:
        SourceError: it is missing, no regular file, not a Keras file, holds no model, or would read or unpack more
            than it should.
    """
    if not path.is_file():
        raise SourceError(_why_no_file(path), where=str(path), fix="correct source.path or source.kind")
    try:
        file = _read(path)
    except SourceError:
        raise
    except Exception as error:
        raise unreadable(path, f"{type(error).__name__}: {error}") from error
    for name in escaping_names(file.config):
        raise suspicious(path, f"a layer is named '{name}', which points outside of where its weights belong")
    return file


def _read(path: Path) -> KerasFile:
    is_archive, is_hdf5 = zipfile.is_zipfile(path), h5py.is_hdf5(path)
    if is_archive and is_hdf5:  # loaders differ in which of the two they read
        raise suspicious(path, "it is a zip archive and HDF5 at once")
    if is_archive:
        return _read_archive(path)
    if is_hdf5:
        return _read_h5(path)
    raise unreadable(path, "it is neither a zip archive nor HDF5")


def _why_no_file(path: Path) -> str:
    if (path / "saved_model.pb").exists():
        return "is a SavedModel folder, not a Keras file; its kind is 'saved_model'"
    if path.is_dir():
        return "is a folder, not a Keras file"
    return "is not a regular file" if path.exists() else "there is no such file"


def unreadable(path: Path, detail: str) -> SourceError:
    """The error for a file that a reader stumbles over."""
    return SourceError(
        f"is not a readable Keras file: {detail}",
        where=str(path),
        fix="copy or save it again; it may be cut off, or another kind of file",
    )


def _read_archive(path: Path) -> KerasFile:
    with zipfile.ZipFile(path) as archive:
        check_members(path, archive, path.stat().st_size)
        config = _json_object(read_member(path, archive, "config.json"))
        metadata = _json_object(read_member(path, archive, "metadata.json"))
        version = str(metadata.get("keras_version", ""))
        compiled = config.pop("compile_config", None)
        for member in archive.infolist():
            if member.filename == f"{_WEIGHTS}.h5":
                with seekable(path, archive, member) as stream, no_endless_reading(), h5py.File(stream, "r") as weights:
                    check_hdf5(path, weights, member.file_size, member.filename)
            elif member.filename == f"{_WEIGHTS}.npz":
                with seekable(path, archive, member) as stream:
                    _check_npz(path, stream, member)
    return KerasFile(path, "keras", version, config, compiled if isinstance(compiled, dict) else {})


def _check_npz(path: Path, stream: IO[bytes], member: zipfile.ZipInfo) -> None:
    """Refuses arrays that claim more than is stored, and what isn't an array."""
    with zipfile.ZipFile(stream) as archive:
        check_members(path, archive, member.file_size)
        for entry in archive.infolist():
            with archive.open(entry) as array:
                read_header = {1: np.lib.format.read_array_header_1_0, 2: np.lib.format.read_array_header_2_0}
                shape, _, dtype = read_header[np.lib.format.read_magic(array)[0]](array)
            if expands_too_far(math.prod(shape) * dtype.itemsize, entry.file_size):
                raise suspicious(path, f"the array '{entry.filename}' claims the shape {shape}")


def _read_h5(path: Path) -> KerasFile:
    with no_endless_reading(), h5py.File(path, "r") as file:
        check_hdf5(path, file, path.stat().st_size)
        if "model_config" not in file.attrs:
            raise SourceError(
                "holds weights but no model",
                where=str(path),
                fix="save the whole model with model.save(), or build it in code: source.kind: python",
            )
        config = _json_object(file.attrs["model_config"])
        compiled = _json_object(file.attrs["training_config"]) if "training_config" in file.attrs else {}
        version = file.attrs.get("keras_version", "")
    return KerasFile(path, "h5", version.decode() if isinstance(version, bytes) else str(version), config, compiled)


def _json_object(text: str | bytes) -> dict[str, Any]:
    value = json.loads(text)
    if not isinstance(value, dict):
        raise ValueError("its configuration is not a JSON object")  # noqa: TRY004  reported as unreadable, like bad JSON
    return value
