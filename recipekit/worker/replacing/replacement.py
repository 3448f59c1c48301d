"""The float model as it is converted where a recipe replaces layers or operators: written, changed, checked."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from recipekit.contracts import LoadedModel, ModelSpec, Replacement, SourceSpec
from recipekit.errors import CustomLayerError
from recipekit.nearest import did_you_mean
from recipekit.worker.float_model import FloatModel
from recipekit.worker.replacing.layers import in_place, layers_by_class
from recipekit.worker.replacing.ops import Operators
from recipekit.worker.replacing.parity import MIN_SQNR_DB, agreement
from recipekit.worker.user_code import load_object

_PLACE = "custom_layers.replace"


Write = Callable[[FloatModel, Path, SourceSpec], LoadedModel]
"""Writes a model into a folder, as `FloatModel.loaded` does."""


def load_replaced(model: FloatModel, spec: ModelSpec, folder: Path, write: Write = FloatModel.loaded) -> LoadedModel:
    """Writes a model with replacements into `folder/saved_model`, and leaves the model itself as it is.

    A name means the layers of that class where the model has any, else the operators of that TensorFlow type.

    Args:
        model: the original.
        spec: its spec, with `custom_layers.replace`.
        folder: where the SavedModel goes.
        write: writes it, in case that something else about it is to be different, too.

    Raises:
        CustomLayerError: a name matches nothing, an equivalent doesn't fit what it stands for, or the outputs differ by
            more than `MIN_SQNR_DB`.
        PluginError: code of an equivalent is missing or failed.
        SourceError: the model can't be traced or written.
    """
    addresses = spec.custom_layers.replace
    equivalents = {name: _callable(name, address, spec) for name, address in addresses.items()}
    layers = layers_by_class(model.owner)
    of_layers = {name: found for name, found in equivalents.items() if name in layers}
    with in_place(of_layers, layers):
        written = write(dataclasses.replace(model), folder, spec.source)  # a copy, which traces anew
    written = _own(written, folder)
    operators = Operators.read(Path(written.saved_model), written.signature_key)
    of_operators = {name: found for name, found in equivalents.items() if name not in layers}
    _require_known(of_operators, operators.names, layers)
    places = {
        **{name: tuple(layer.name for layer in layers[name]) for name in of_layers},
        **{name: operators.replace(name, found) for name, found in of_operators.items()},
    }
    operators.write()
    sqnr_db = agreement(model, runner(written), written.signature, spec.seed)
    require_equal(sqnr_db, addresses)
    replaced = tuple(Replacement(name=name, by=addresses[name], places=places[name]) for name in addresses)
    return msgspec.structs.replace(written, replaced=replaced, replacement_sqnr_db=sqnr_db)


def _callable(name: str, address: str, spec: ModelSpec) -> Any:
    found = load_object(address, Path(spec.project_root))
    if not callable(found):
        raise CustomLayerError(
            f"'{address}' is a {type(found).__name__}", where=f"{_PLACE}.{name}", fix="name a layer class or a function"
        )
    return found


def _own(loaded: LoadedModel, folder: Path) -> LoadedModel:
    """The model in a folder of our own, even where the source is a SavedModel that could be converted in its place."""
    own = folder / "saved_model"
    if Path(loaded.saved_model) != own:
        shutil.copytree(loaded.saved_model, own)
    return msgspec.structs.replace(loaded, saved_model=str(own))


def _require_known(wanted: Iterable[str], operators: Iterable[str], layers: Iterable[str]) -> None:
    known = sorted({*operators, *layers})
    for name in wanted:
        if name not in operators:
            raise CustomLayerError(
                f"the model has no layer of the class '{name}' and no operator '{name}'{did_you_mean(name, known)}",
                where=f"{_PLACE}.{name}",
                fix=f"take it out, or name one of {', '.join(known)}",
            )


def require_equal(sqnr_db: float | None, addresses: Mapping[str, str]) -> None:
    """Checks that replacements compute what they stand for.

    Args:
        sqnr_db: between the two models, of the output that differs most; None where they can't be compared.
        addresses: of the equivalents, by what they replace.

    Raises:
        CustomLayerError: they don't.
    """
    if sqnr_db is not None and sqnr_db < MIN_SQNR_DB:
        replaced = ", ".join(f"{name} by '{address}'" for name, address in addresses.items())
        raise CustomLayerError(
            f"with {replaced} the model agrees with the original to {sqnr_db:.1f} dB; {MIN_SQNR_DB:.0f} are needed",
            where=_PLACE,
            fix="let the replacement compute what it stands for; numerical approximations reach 60 dB and more",
        )


def runner(written: LoadedModel) -> Any:
    """The written model as a function of arrays by name."""
    model = tf.saved_model.load(written.saved_model)

    def run(inputs: Mapping[str, npt.NDArray[Any]]) -> dict[str, npt.NDArray[Any]]:
        tensors = {name: tf.convert_to_tensor(array) for name, array in inputs.items()}
        outputs = model.signatures[written.signature_key](**tensors)
        return {name: np.asarray(tensor.numpy()) for name, tensor in outputs.items()}

    return run
