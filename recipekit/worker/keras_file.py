"""What a Keras file says about itself, read without running anything that it holds.

Which Keras wrote it, its configuration tree, the classes named there, and whether it is a file that is safe to open.
It imports neither TensorFlow nor Keras.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import h5py

from recipekit.errors import SourceError

_RUNS_CODE = {
    "Lambda": "a Lambda layer, which runs code that the file carries",
    "__lambda__": "a Python lambda, which runs code that the file carries",
    "TFSMLayer": "a TFSMLayer, which runs whatever SavedModel it points at",
    "TorchModuleWrapper": "a TorchModuleWrapper, which runs code that the file carries",
}
_MAX_EXPANSION = 100
_MAX_FREE_BYTES = 32 * 2**20  # below this size a member or dataset may expand as it likes


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

    def unsafe_parts(self) -> Iterator[tuple[str, str]]:
        """Path in the model and description of each part that would run code from outside the known layers."""
        for root, tree in (("", self.config), ("compile_config", self.compile_config)):
            reported = "\0"
            for path, class_name in _classes(tree, root):
                if class_name in _RUNS_CODE and not path.startswith(f"{reported}/"):
                    reported = path
                    yield path, _RUNS_CODE[class_name]

    def class_names(self) -> set[str]:
        """Every class that the model's configuration names, without a package in front of it."""
        return {class_name for _, class_name in _classes(self.config, "")}

    def configs_of(self, class_name: str) -> Iterator[dict[str, Any]]:
        """The configuration of every object of a class, whose name is given without a package in front of it."""
        pending: list[Any] = [self.config]
        while pending:
            node = pending.pop()
            if isinstance(node, dict) and str(node.get("class_name")).rpartition(">")[2] == class_name:
                config = node.get("config")
                yield config if isinstance(config, dict) else {}
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
        if zipfile.is_zipfile(path):
            return _read_archive(path)
        if h5py.is_hdf5(path):
            return _read_h5(path)
    except SourceError:
        raise
    except Exception as error:
        raise _unreadable(path, f"{type(error).__name__}: {error}") from error
    raise _unreadable(path, "it is neither a zip archive nor HDF5")


def _why_no_file(path: Path) -> str:
    if (path / "saved_model.pb").exists():
        return "is a SavedModel folder, not a Keras file; its kind is 'saved_model'"
    if path.is_dir():
        return "is a folder, not a Keras file"
    return "is not a regular file" if path.exists() else "there is no such file"


def _unreadable(path: Path, detail: str) -> SourceError:
    return SourceError(
        f"is not a readable Keras file: {detail}",
        where=str(path),
        fix="copy or save it again; it may be cut off, or another kind of file",
    )


def _read_archive(path: Path) -> KerasFile:
    with zipfile.ZipFile(path) as archive:
        _check_members(path, archive)
        config = _json_object(archive.read("config.json"))
        metadata = _json_object(archive.read("metadata.json"))
        version = str(metadata.get("keras_version", ""))
        compiled = config.pop("compile_config", None)
        file = KerasFile(path, "keras", version, config, compiled if isinstance(compiled, dict) else {})
        if file.legacy:  # Keras 3 checks the weights itself, Keras 2 doesn't
            with archive.open("model.weights.h5") as member, h5py.File(member, "r") as weights:
                _check_h5(path, weights)
    return file


def _read_h5(path: Path) -> KerasFile:
    with h5py.File(path, "r") as file:
        _check_h5(path, file)
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


def _check_members(path: Path, archive: zipfile.ZipFile) -> None:
    """Refuses members that would land elsewhere, hide each other, or unpack to far more than they are."""
    seen: set[str] = set()
    for member in archive.infolist():
        name = PurePosixPath(member.filename.replace("\\", "/"))
        if name.is_absolute() or ".." in name.parts or ":" in name.parts[0]:
            raise _suspicious(path, f"the member '{member.filename}' points outside the archive")
        if member.filename in seen:
            raise _suspicious(path, f"the member '{member.filename}' is there twice")
        if member.file_size > max(_MAX_FREE_BYTES, _MAX_EXPANSION * member.compress_size):
            raise _suspicious(
                path,
                f"the member '{member.filename}' unpacks {member.compress_size} bytes to {member.file_size},"
                f" more than {_MAX_EXPANSION} times as many",
            )
        seen.add(member.filename)


def _check_h5(path: Path, file: h5py.File) -> None:
    """Refuses links, data kept in other files, and datasets that claim far more than is stored."""

    # h5py doesn't let exceptions out of its visitors: they give what they found, which ends the visit.
    def visit_link(name: str, link: object) -> str | None:
        return None if isinstance(link, h5py.HardLink) else f"'{name}' is a {type(link).__name__}"

    def visit(name: str, node: object) -> str | None:
        if not isinstance(node, h5py.Dataset):
            return None
        if node.external or node.is_virtual:
            return f"the dataset '{name}' keeps its values in other files"
        stored = node.id.get_storage_size()
        if node.nbytes > max(_MAX_FREE_BYTES, _MAX_EXPANSION * stored):
            return f"the dataset '{name}' claims {node.nbytes} bytes but stores {stored}"
        return None

    found = file.visititems_links(visit_link) or file.visititems(visit)
    if found:
        raise _suspicious(path, found)


def _suspicious(path: Path, detail: str) -> SourceError:
    return SourceError(f"is refused: {detail}", where=str(path), fix="save the model again with model.save()")


def _classes(tree: dict[str, Any], root: str) -> Iterator[tuple[str, str]]:
    """Path and class name of every serialized object, in the whole tree."""
    pending: list[tuple[Any, str]] = [(tree, root)]
    while pending:
        node, path = pending.pop()
        if isinstance(node, list):
            pending.extend((child, path) for child in reversed(node))
        elif isinstance(node, dict):
            class_name = node.get("class_name")
            if isinstance(class_name, str):
                path = "/".join(filter(None, [path, _name(node, class_name)]))
                yield path, class_name.rpartition(">")[2]
            pending.extend((child, path) for child in reversed(node.values()))


def _name(node: dict[str, Any], class_name: str) -> str:
    config = node.get("config")
    name = config.get("name") if isinstance(config, dict) else None
    return name if isinstance(name, str) else class_name
