"""Keras files: `.keras` archives and HDF5, each read by the Keras that wrote it.

Keras 3 refuses many files of Keras 2, so those go to tf_keras, which lives beside Keras 3 in one process under its own
name. The file is examined before either of them may run anything that it holds.
"""

from __future__ import annotations

import importlib
from dataclasses import replace
from pathlib import Path
from typing import Any

from recipekit.contracts import ModelSpec
from recipekit.errors import CustomLayerError, RecipekitError, SourceError, UnsafeSource
from recipekit.worker import keras_file
from recipekit.worker.float_model import FloatModel
from recipekit.worker.keras_failures import TITLES, Attempt, explain, own_package, unregistered
from recipekit.worker.keras_file import KerasFile
from recipekit.worker.keras_model import from_keras, start_session
from recipekit.worker.keras_scan import Finding
from recipekit.worker.layers import custom_objects, generation

_LOADERS = {"keras": "keras3", "tf_keras": "tf_keras"}


def load(spec: ModelSpec) -> FloatModel:
    """Loads a Keras file.

    Raises:
        SourceError: the file is missing, not a readable Keras file, or of a format that the chosen loader can't read.
        UnsafeSource: it holds code, and `allow_unsafe` is false.
        CustomLayerError: one of its classes isn't registered, belongs to the other Keras, or can't be rebuilt.
        PluginError: a module of `custom_layers` can't be imported.
    """
    path, root = Path(spec.source.path), Path(spec.project_root)
    file = keras_file.read(path)
    package, reason = _choose(file, spec.source.loader)
    keras: Any = importlib.import_module(package)
    start_session(spec.seed)
    objects = custom_objects(spec.custom_layers, root)
    attempt = Attempt(file, package, objects, root)
    findings = file.findings(objects.keys() | keras.saving.get_custom_objects().keys())
    if not spec.source.allow_unsafe:
        _refuse(findings, attempt)
    _refuse_other_keras(file, package, objects)
    options = {"safe_mode": not spec.source.allow_unsafe} if package == "keras" or file.format == "keras" else {}
    try:
        model = keras.models.load_model(str(path), custom_objects=objects, compile=False, **options)
    except RecipekitError:
        raise
    except Exception as error:
        raise explain(error, attempt) from error
    allowed = tuple(f"'{finding.path}' is {finding.what}" for finding in findings if finding.runs)
    return replace(from_keras(model, _LOADERS[package], reason, objects), unsafe_parts=allowed)


def _refuse(findings: tuple[Finding, ...], attempt: Attempt) -> None:
    """Refuses what would run, then what nobody knows.

    Raises:
        UnsafeSource: a part runs code or reads other files.
        CustomLayerError: a class or function is neither Keras's nor registered.
    """
    running = [finding for finding in findings if finding.runs]
    if running:
        others = f" (and {len(running) - 1} more such parts)" if len(running) > 1 else ""
        raise UnsafeSource(
            f"'{running[0].path}' is {running[0].what}{others}",
            where=str(attempt.file.path),
            fix="put its code into a layer class and register that under custom_layers,"
            " or set source.allow_unsafe: true if you trust the file",
        )
    for finding in findings:
        raise unregistered(finding.name, attempt)


def _choose(file: KerasFile, loader: str) -> tuple[str, str]:
    """The package that loads the file, and why."""
    version = f"Keras {file.keras_version}" if file.keras_version else "a Keras that did not write its version"
    kind = "a .keras archive" if file.format == "keras" else "an HDF5 file"
    package = {"auto": own_package(file), "keras3": "keras", "keras2": "tf_keras"}[loader]
    if file.format == "keras" and not file.legacy and package == "tf_keras":
        raise SourceError(
            f"was saved by {version}, which Keras 2 can't read", where=str(file.path), fix="set source.loader: auto"
        )
    endings = (".keras",) if file.format == "keras" else (".h5", ".hdf5")
    # Keras 2 reads HDF5 by any name, but takes an archive by another name for something else.
    if (package == "keras" or file.format == "keras") and not file.path.name.endswith(endings):
        raise SourceError(
            f"is {kind}, but its name does not end like one",
            where=str(file.path),
            fix=f"rename it to end in {endings[0]}",
        )
    if loader != "auto":
        return package, f"source.loader asks for {TITLES[package]}; the file is {kind} saved by {version}"
    cause = ", which Keras 3 can't be relied on to read" if file.legacy else ""
    return package, f"the file is {kind} saved by {version}{cause}"


def _refuse_other_keras(file: KerasFile, package: str, objects: dict[str, Any]) -> None:
    for name in sorted(file.class_names() & objects.keys()):
        if generation(objects[name]) not in (package, None):
            other = generation(objects[name])
            raise CustomLayerError(
                f"'{name}' is a layer of {TITLES[str(other)]}, but the file is loaded by {TITLES[package]}",
                where=str(file.path),
                fix=f"derive it from {package}.layers.Layer",
            )
