"""Keras files: `.keras` archives and HDF5, each read by the Keras that wrote it.

Keras 3 refuses many files of Keras 2, so those go to tf_keras, which lives beside Keras 3 in one process under its own
name. The file is examined before either of them may run anything that it holds.
"""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from typing import Any

from recipekit.contracts import ModelSpec
from recipekit.errors import CustomLayerError, RecipekitError, SourceError, UnsafeSource
from recipekit.worker import keras_file
from recipekit.worker.float_model import FloatModel
from recipekit.worker.keras_file import KerasFile
from recipekit.worker.keras_model import from_keras, start_session
from recipekit.worker.layers import custom_objects, generation

_TITLES = {"keras": "Keras 3", "tf_keras": "Keras 2 (tf_keras)"}
_LOADERS = {"keras": "keras3", "tf_keras": "tf_keras"}
_LONGEST_CAUSE = 300
_MISSING = re.compile(r"Could not locate (?:class|function) '([^']+)'|Unknown [\w ]+: '?([\w>.]+)'?")
_BROKEN = re.compile(r"when deserializing class '([^']+)'|<class '(?:[\w.<>]*\.)?(\w+)'> could not be")
_CONSTRUCTOR = re.compile(r"(\w+)\.__init__\(\)")


def load(spec: ModelSpec) -> FloatModel:
    """Loads a Keras file.

    Raises:
        SourceError: the file is missing, not a readable Keras file, or of a format that the chosen loader can't read.
        UnsafeSource: it holds code, and `allow_unsafe` is false.
        CustomLayerError: one of its classes isn't registered, belongs to the other Keras, or can't be rebuilt.
        PluginError: a module of `custom_layers` can't be imported.
    """
    path = Path(spec.source.path)
    file = keras_file.read(path)
    if not spec.source.allow_unsafe:
        _refuse_code(file)
    package, reason = _choose(file, spec.source.loader)
    keras = _keras(package)
    start_session(spec.seed)
    objects = custom_objects(spec.custom_layers, Path(spec.project_root))
    _refuse_other_keras(file, package, objects)
    options = {"safe_mode": not spec.source.allow_unsafe} if package == "keras" or file.format == "keras" else {}
    try:
        model = keras.models.load_model(str(path), custom_objects=objects, compile=False, **options)
    except RecipekitError:
        raise
    except Exception as error:
        raise _explained(error, file, package, objects) from error
    return from_keras(model, _LOADERS[package], reason, objects)


def _refuse_code(file: KerasFile) -> None:
    found = list(file.unsafe_parts())
    if found:
        place, what = found[0]
        others = f" (and {len(found) - 1} more such parts)" if len(found) > 1 else ""
        raise UnsafeSource(
            f"'{place}' is {what}{others}",
            where=str(file.path),
            fix="put its code into a layer class and register that under custom_layers,"
            " or set source.allow_unsafe: true if you trust the file",
        )


def _choose(file: KerasFile, loader: str) -> tuple[str, str]:
    """The package that loads the file, and why."""
    version = f"Keras {file.keras_version}" if file.keras_version else "a Keras that did not write its version"
    kind = "a .keras archive" if file.format == "keras" else "an HDF5 file"
    package = {"auto": _own_package(file), "keras3": "keras", "keras2": "tf_keras"}[loader]
    if file.format == "keras" and not file.legacy and package == "tf_keras":
        raise SourceError(
            f"was saved by {version}, which Keras 2 can't read", where=str(file.path), fix="set source.loader: auto"
        )
    endings = (".keras",) if file.format == "keras" else (".h5", ".hdf5")
    if package == "keras" and not file.path.name.endswith(endings):
        raise SourceError(
            f"is {kind}, but its name does not end like one",
            where=str(file.path),
            fix=f"rename it to end in {endings[0]}",
        )
    if loader != "auto":
        return package, f"source.loader asks for {_TITLES[package]}; the file is {kind} saved by {version}"
    cause = ", which Keras 3 can't be relied on to read" if file.legacy else ""
    return package, f"the file is {kind} saved by {version}{cause}"


def _own_package(file: KerasFile) -> str:
    return "tf_keras" if file.legacy else "keras"


def _refuse_other_keras(file: KerasFile, package: str, objects: dict[str, Any]) -> None:
    for name in sorted(file.class_names() & objects.keys()):
        if generation(objects[name]) not in (package, None):
            other = generation(objects[name])
            raise CustomLayerError(
                f"'{name}' is a layer of {_TITLES[str(other)]}, but the file is loaded by {_TITLES[package]}",
                where=str(file.path),
                fix=f"derive it from {package}.layers.Layer",
            )


def _explained(error: Exception, file: KerasFile, package: str, objects: dict[str, Any]) -> RecipekitError:
    """What a loader's exception means to the user."""
    message = str(error)
    missing = _first_group(_MISSING.search(message))
    if missing:
        name = missing.rpartition(">")[2]
        return CustomLayerError(
            f"the class or function '{missing}' is not registered",
            where=str(file.path),
            fix="name the module that defines it in custom_layers.modules, or the object itself in"
            f' custom_layers.objects: {{{missing}: "package.module:{name}"}}',
        )
    cause = _cause(message)
    own = {name.rpartition(">")[2] for name in {**objects, **_keras(package).saving.get_custom_objects()}}
    matches = [*_CONSTRUCTOR.finditer(message), *_BROKEN.finditer(message)]
    broken = [name for match in matches if (name := _first_group(match).rpartition(">")[2]) in own]
    if broken:
        return CustomLayerError(
            f"the class '{broken[-1]}' can't be rebuilt from its configuration: {cause}",
            where=str(file.path),
            fix="let its get_config() return every argument of __init__, and __init__ take what the file holds",
        )
    return SourceError(
        f"is not a readable Keras file: {_TITLES[package]} says {type(error).__name__}: {cause}",
        where=str(file.path),
        fix=_remedy(file, package),
    )


def _keras(package: str) -> Any:
    return importlib.import_module(package)


def _first_group(match: re.Match[str] | None) -> str:
    return next(filter(None, match.groups()), "") if match else ""


def _cause(message: str) -> str:
    """The innermost reason in a loader's message: its first line, without the configuration that is written out."""
    line = message.rpartition("Exception encountered:")[2].strip().partition("\n")[0]
    return line if len(line) <= _LONGEST_CAUSE else f"{line[:_LONGEST_CAUSE]} ..."


def _remedy(file: KerasFile, package: str) -> str:
    if package != _own_package(file):
        return "set source.loader: auto, which takes the Keras that wrote it"
    installed = _keras(package).__version__
    if package == "keras" and _numbers(file.keras_version) > _numbers(installed):
        return f"the file was saved by Keras {file.keras_version} and Keras {installed} is installed: install that one"
    return "copy or save it again; the log holds the whole traceback"


def _numbers(version: str) -> list[int]:
    """The numbers of a version, for comparing; a file may hold any text there."""
    return [int(number) for number in re.findall(r"\d+", version)]
