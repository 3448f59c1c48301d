"""A Keras file as a `Description`, without Keras: who wrote it, what it takes, and what a recipe must say of it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from recipekit.contracts import Description, ForeignPart, ModelLayer, ModelSignature
from recipekit.worker import keras_file, keras_structure, lacking_kernels
from recipekit.worker.keras_failures import TITLES, own_package
from recipekit.worker.keras_file import KerasFile
from recipekit.worker.keras_structure import Layer
from recipekit.worker.keras_weights import Weight, weights

_LOADERS = {"keras": "keras3", "tf_keras": "keras2"}


def describe(path: Path) -> Description:
    """Reads a Keras file; nothing that it holds is run.

    Raises:
        SourceError: it is missing, no Keras file, or would read or unpack more than it should.
    """
    file = keras_file.read(path)
    try:
        return _described(file)
    except Exception as error:  # h5py raises whatever its parser stumbles over
        raise keras_file.unreadable(path, f"{type(error).__name__}: {error}") from error


def _described(file: KerasFile) -> Description:
    known = keras_structure.layers(file)
    stored = weights(file.path, file.format == "keras", known)
    package = own_package(file)
    signature = ModelSignature(key="", inputs=keras_structure.inputs(file), outputs=keras_structure.outputs(file))
    return Description(
        kind="keras",
        format="Keras archive" if file.format == "keras" else "HDF5",
        size=file.path.stat().st_size,
        written_by=f"Keras {file.keras_version}" if file.keras_version else "",
        loader=_LOADERS[package],
        reason=_reason(file, package),
        signatures=(signature,),
        layers=tuple(_with_weights(known, stored)),
        foreign=tuple(_foreign(file)),
        needs_select_tf_ops=tuple(sorted(file.class_names() & lacking_kernels.LAYERS)),
        recurrent=keras_structure.recurrent(file),
        scaling=keras_structure.scaling(file),
        task=keras_structure.task(file),
        parameters=sum(weight.parameters for weight in stored),
        bytes=sum(weight.bytes for weight in stored),
    )


def _reason(file: KerasFile, package: str) -> str:
    if not file.keras_version:
        return f"it doesn't say which Keras wrote it, as old files don't, so {TITLES[package]} reads it"
    cause = ", whose files Keras 3 can't be relied on to read" if file.legacy else ""
    return f"Keras {file.keras_version} wrote it{cause}"


def _foreign(file: KerasFile) -> Iterable[ForeignPart]:
    """Parts in need of a word, each class once; an unknown class of the model itself has a path of its own name."""
    seen = set()
    for finding in file.findings(()):
        if (finding.name, finding.what) not in seen:
            seen.add((finding.name, finding.what))
            yield ForeignPart(name=finding.name, path=finding.path or finding.name, what=finding.what)


def _with_weights(layers: Iterable[Layer], stored: Iterable[Weight]) -> Iterable[ModelLayer]:
    """Layers with what they store; in front stands what the configuration lists, then owners that only weights name."""
    kinds = {layer.name: layer.kind for layer in layers}
    held: dict[str, list[Weight]] = {name: [] for name in kinds}
    for weight in stored:
        held.setdefault(weight.layer, []).append(weight)
    for name, its in held.items():
        yield ModelLayer(
            name=name,
            kind=kinds.get(name, ""),
            parameters=sum(weight.parameters for weight in its),
            bytes=sum(weight.bytes for weight in its),
            dtypes=tuple(sorted({weight.dtype for weight in its})),
        )
